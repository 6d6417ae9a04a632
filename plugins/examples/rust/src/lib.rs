//! Opsgenie's Alert API: an alert opens one there, and a run that succeeded
//! closes the one that it opened earlier.
//!
//! The key is a secret; its reference goes into the `authorization` header.
//! Reference: docs.opsgenie.com/docs/alert-api.

mod alias;
mod answer;
mod opening;

use exosphere_alerts_sdk::text::push_percent_encoded;
use exosphere_alerts_sdk::{
    Alert, Delivery, Exchange, Problem, Request, Settings, Step, Target, Verdict, export_target,
};

use opening::{Opening, OpsgenieSettings};

/// The adapter.
pub struct Opsgenie;

export_target!(Opsgenie);

/// The endpoint's secret.
const SECRET: &str = "api_key";

/// The one type that closes; every other one opens.
const CLOSES: &str = "workflow.succeeded";

impl Target for Opsgenie {
    fn check(settings: Settings) -> Result<(), Vec<Problem>> {
        // The schema says it all; this finds where the two came apart.
        settings.read::<OpsgenieSettings>().map(drop)
    }

    fn next(delivery: Delivery, exchanges: Vec<Exchange>) -> Step {
        match exchanges.last() {
            None => request(&delivery).map_or_else(Step::Done, Step::Send),
            Some(exchange) => Step::Done(answer::verdict(&exchange.outcome, delivery.now)),
        }
    }
}

fn request(delivery: &Delivery) -> Result<Request, Verdict> {
    let endpoint = &delivery.endpoint;
    let settings: OpsgenieSettings = endpoint.read_settings()?;
    let key = endpoint.require_secret(SECRET)?;
    let alert: Alert = delivery.read_alert()?;
    let alias = alias::of(&alert);
    let request = if alert.event_type == CLOSES {
        let mut url = format!("{}/", endpoint.url.trim_end_matches('/'));
        push_percent_encoded(&mut url, &alias);
        url.push_str("/close?identifierType=alias");
        Request::post_json(url, r#"{"source":"Exosphere Alerts"}"#)
    } else {
        let opening = serde_json::to_vec(&Opening::of(&alert, &alias, &settings))
            .map_err(|error| Verdict::Rejected(format!("the alert does not serialize: {error}")))?;
        Request::post_json(&endpoint.url, opening)
    };
    Ok(request.header("authorization", format!("GenieKey {key}")).headers_of(endpoint))
}

#[cfg(test)]
mod tests;
