//! What a person sees when the server is up: the address, the key if it was
//! just made, and three requests to copy.

use alerts_domain::Timestamp;
use alerts_domain::secret::Secret;

use crate::say::say;

/// Stands where the key is, when it is not ours to show.
const THE_KEY: &str = "<your platform key>";

/// Prints it.
pub(super) fn print(url: &str, key: Option<&Secret>) {
    say(text(url, key, Timestamp::now()));
}

fn text(url: &str, key: Option<&Secret>, now: Timestamp) -> String {
    let first = match key {
        Some(_) => "The platform key, shown this once: keep it.",
        None => "Put your platform key in here:",
    };
    let key = key.map_or(THE_KEY, Secret::expose);
    let headers = r#"-H "x-api-key: $KEY" -H 'x-exosphere-namespace: payments'"#;
    let json = "-H 'content-type: application/json'";
    format!(
        r#"
Exosphere Alerts listens on {url}   Dashboard: {url}/settings/alerts   API: {url}/docs

{first}

  KEY='{key}'

An endpoint (put your receiver's URL in), a rule for it, and a run that fails:

  ID=$(curl -sS {url}/v1/webhooks {headers} {json} -d '{{"name": "My receiver", "target_url": "https://example.com/hook"}}' | sed -n 's/.*"id":"\(wh_[^"]*\)".*/\1/p'); echo "$ID"
  curl -sS {url}/v1/alert-rules {headers} {json} -d '{{"name": "Any failed run", "event_type": "workflow.failed", "webhook_endpoint_id": "'$ID'"}}'
  curl -sS {url}/v1/events {headers} -H 'content-type: application/cloudevents+json' -d '{event}'

What became of it: curl -sS {url}/v1/deliveries {headers}
"#,
        event = event(now),
    )
}

/// A run that failed, as the platform would tell of it; another one each time.
fn event(now: Timestamp) -> String {
    const RUN: &str = "5f0c1f5e-1d0b-4a46-a1f5-4b7d3f6a2c11";
    let now = now.strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(
        r#"{{"specversion": "1.0", "id": "'$(date +%s%N)'", "source": "/v0/namespace/payments", "type": "workflow.failed", "subject": "graph/nightly-etl/run/{RUN}", "time": "{now}", "data": {{"namespace": "payments", "graph_name": "nightly-etl", "run_id": "{RUN}", "status": "FAILED", "created_at": "{now}", "finished_at": "{now}", "duration_ms": 607000, "success_count": 11, "errored_count": 4, "total_count": 15, "failed_state_id": "65f1a0c2d4e5f60718293a4b", "node_name": "load-warehouse"}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_not_made_now_is_not_shown() {
        let url = "http://127.0.0.1:8080";
        assert!(text(url, None, Timestamp::UNIX_EPOCH).contains(THE_KEY));
        let made = Secret::new("exo_made");
        let shown = text(url, Some(&made), Timestamp::UNIX_EPOCH);
        assert!(shown.contains("KEY='exo_made'") && shown.contains("1970-01-01T00:00:00Z"));
    }
}
