//! Conditions as tenants write them: what fires on which event, and what is refused
//! when the rule is saved.

use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::host::TestHost;

/// Whether a rule with the condition fires for the sample event with this data.
async fn fires(host: &TestHost, condition: Value, data: Value) -> bool {
    let endpoint = host.api.endpoint("https://example.com/hook", json!({})).await;
    let rule = host.api.rule(&endpoint, json!({"condition": condition})).await;
    let mut event = failed(rule["id"].as_str().unwrap());
    for (name, value) in data.as_object().unwrap() {
        event["data"][name] = value.clone();
    }
    let accepted = host.api.post("/v1/events", event).await.expect(202);
    let path = format!("/v1/events/{}", accepted["events"][0]["id"].as_str().unwrap());
    let judged = host.api.get(&path).await.expect(200);
    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    host.api.delete(&path).await.expect(204);
    // The only rule that there is.
    let reason = &judged["rules"][0]["reason"];
    assert_ne!(reason, "condition_error", "{condition}: {judged}");
    reason == "fired"
}

fn logic(rule: &str) -> Value {
    json!({"language": "jsonlogic", "source": rule})
}

#[tokio::test]
async fn a_number_an_hour_and_an_empty_object_mean_what_they_say() {
    let host = TestHost::start().await;
    for (condition, data, expected) in [
        (json!("event.data.error_rate * 100.0 > 50.0"), json!({"error_rate": 1}), true),
        (json!("event.data.duration_ms / 1000.0 > 60.0"), json!({"duration_ms": 90000}), true),
        (
            json!("event.data.n == 9007199254740993"),
            json!({"n": 9_007_199_254_740_992.0_f64}),
            false,
        ),
        (json!("timestamp(event.time).getHours('Europe/Berlin') < 8"), json!({}), true),
        (
            json!(
                "timestamp(event.data.finished_at) - timestamp(event.data.created_at) < duration('1h')"
            ),
            json!({}),
            true,
        ),
        (
            json!("event.data.`content-type` == 'text/csv'"),
            json!({"content-type": "text/csv"}),
            true,
        ),
        (
            json!("cidr('10.0.0.0/8').containsIP(event.data.peer)"),
            json!({"peer": "10.1.2.3"}),
            true,
        ),
        (logic(r#"{"!!": [{"var": "event.data.error"}]}"#), json!({"error": {}}), true),
        (logic(r#"{"==": [{"var": "event.data.nothing"}, 0]}"#), json!({}), false),
    ] {
        assert_eq!(fires(&host, condition.clone(), data).await, expected, "{condition}");
    }
}

#[tokio::test]
async fn a_mistake_that_shows_without_an_event_is_refused_with_its_place() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint("https://example.com/hook", json!({})).await;
    for (condition, told) in [
        ("1+1", "column 1"),
        ("'a'", "column 1"),
        ("null", "column 1"),
        ("[]", "column 1"),
        ("event", "column 1"),
        ("size(event.data.s)", "column 1"),
        ("true && 1", "column 9"),
        ("1 > 'a'", "column 3"),
        ("!1", "column 2"),
        ("event.data.node_name.matches('(prod|stag')", "unclosed group"),
        ("event.data.node_name.matches('a{1,100000}')", "too large"),
        ("event.tpye == 'workflow.failed'", "did you mean `type`"),
        ("event.type.startswith('workflow')", "did you mean `startsWith`"),
        ("timestamp(event.time).getHours('Europe/Berln') < 8", "Europe/Berln"),
    ] {
        let rule = json!({"name": "Wrong", "event_type": "workflow.failed",
            "webhook_endpoint_id": endpoint["id"], "condition": condition});
        let answer = host.api.post("/v1/alert-rules", rule).await;
        let text = answer.text();
        assert_eq!(answer.problem(400), ["/condition"], "{condition}");
        assert!(text.contains(told), "{condition}: {text}");
    }
}
