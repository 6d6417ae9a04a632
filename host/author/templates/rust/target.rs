//! A target adapter: one alert, one request.
//!
//! A pure function. The host performs the request, puts secrets in the place of
//! their references, and shows the answer to `next` when it is asked to.

use exosphere_alerts_sdk::{
    Alert, Delivery, Exchange, Problem, Request, Settings, Step, Target, Verdict, export_target,
};
use serde::{Deserialize, Serialize};

struct {{type}};

export_target!({{type}});

/// The same fields as the schema in plugin.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MySettings {
    #[serde(default = "default_title")]
    title: String,
}

fn default_title() -> String {
    "Alert".to_owned()
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    text: String,
    run: Option<&'a str>,
}

impl Target for {{type}} {
    fn check(settings: Settings) -> Result<(), Vec<Problem>> {
        settings.read::<MySettings>().map(drop)
    }

    fn next(delivery: Delivery, _exchanges: Vec<Exchange>) -> Step {
        // The last request: 2xx is delivered, 404 and 410 are gone, all else is
        // retried. To judge the answer yourself, answer `Step::Send` here, and
        // `Step::Done` when `exchanges` has it.
        request(&delivery).map_or_else(Step::Done, Step::SendLast)
    }
}

/// With `Verdict` as the error, `?` ends the attempt and says why.
fn request(delivery: &Delivery) -> Result<Request, Verdict> {
    let endpoint = &delivery.endpoint;
    let settings: MySettings = endpoint.read_settings()?;
    let alert: Alert = delivery.read_alert()?;
    let message = Message {
        text: format!("{}: {}", settings.title, alert.headline()),
        run: alert.workflow.run_id.as_ref().map(|id| id.text()),
    };
    let body = serde_json::to_vec(&message)
        .map_err(|error| Verdict::Rejected(format!("the message does not serialize: {error}")))?;
    // The target drops repeats by it: an alert is sent at least once.
    let mut request =
        Request::post_json(&endpoint.url, body).header("idempotency-key", &delivery.id);
    if let Some(token) = endpoint.secret("token") {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    Ok(request.headers_of(endpoint).signed())
}

#[cfg(test)]
mod tests {
    use exosphere_alerts_sdk::Endpoint;

    use super::*;

    fn delivery(settings: &str) -> Delivery {
        Delivery {
            id: "dlv_1".into(),
            attempt: 1,
            now: 1_767_225_600_000,
            seed: 7,
            alert: br#"{"version":"1","id":"dlv_1","type":"workflow.failed",
                "occurred_at":"2026-01-01T00:00:00Z","namespace":"payments",
                "rule":{"id":null,"name":"Any failed run"},"trigger":{"type":"event"},
                "workflow":{"graph_name":"nightly-etl","run_id":"r1"},
                "event":{"id":"e1","source":"/s"}}"#
                .to_vec(),
            endpoint: Endpoint {
                url: "https://example.com/hook".into(),
                settings: settings.into(),
                headers: Vec::new(),
                secrets: Vec::new(),
                extensions: Vec::new(),
            },
            extensions: Vec::new(),
        }
    }

    #[test]
    fn a_failed_run_becomes_a_message() {
        let Step::SendLast(request) = {{type}}::next(delivery("{}"), Vec::new()) else {
            panic!("not sent");
        };
        let body = String::from_utf8(request.body).unwrap();
        assert_eq!(body, r#"{"text":"Alert: Workflow failed: nightly-etl","run":"r1"}"#);
    }

    #[test]
    fn a_mistyped_setting_is_a_problem() {
        let problems = {{type}}::check(Settings::new(r#"{"titel":"x"}"#)).unwrap_err();
        assert!(problems[0].message.contains("titel"));
    }
}
