//! Golden messages, and a verdict for each of Slack's answers.

mod answers;
mod messages;

use exosphere_alerts_sdk::{
    Delivery, Endpoint, Exchange, Outcome, Problem, Request, Response, Settings, Step, Target,
    TransportError, Verdict,
};
use serde_json::{Value, json};

use crate::Slack;

/// 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600_000;
/// As the host gives it when the URL is secret.
const URL: &str = "https://hooks.slack.com/exosphere-secret-target_url-00ff";

fn failed() -> Value {
    json!({
        "version": "1", "id": "dlv_01", "type": "workflow.failed",
        "occurred_at": "2026-01-01T00:00:00Z", "namespace": "prod",
        "rule": {"id": "rule_01", "name": "Failed runs"}, "trigger": {"type": "event"},
        "workflow": {
            "graph_name": "etl", "run_id": "7b2f", "status": "FAILED",
            "created_at": "2025-12-31T23:58:37Z", "finished_at": "2026-01-01T00:00:00Z",
            "duration_ms": 83_000, "success_count": 7, "errored_count": 3, "total_count": 10,
            "failed_state_id": "65f0c0ffee", "node_name": "load"
        },
        "event": {"id": "e-1", "source": "/v0/namespace/prod", "subject": "graph/etl/run/7b2f"}
    })
}

fn delivery(alert: &Value, settings: &Value) -> Delivery {
    Delivery {
        id: "dlv_01".into(),
        attempt: 1,
        now: NOW,
        seed: 7,
        alert: alert.to_string().into_bytes(),
        endpoint: Endpoint {
            url: URL.into(),
            settings: settings.to_string().into_bytes(),
            headers: vec![
                ("X-Team".into(), "payments".into()),
                ("Content-Type".into(), "text/plain".into()),
            ],
            secrets: Vec::new(),
            extensions: Vec::new(),
        },
        extensions: Vec::new(),
    }
}

fn sent(alert: &Value, settings: &Value) -> Request {
    match Slack::next(delivery(alert, settings), Vec::new()) {
        Step::Send(request) => request,
        other => panic!("expected a request, got {other:?}"),
    }
}

fn message(alert: &Value, settings: &Value) -> Value {
    serde_json::from_slice(&sent(alert, settings).body).unwrap()
}

fn verdict(outcome: Outcome) -> Verdict {
    let exchange = Exchange { request: sent(&failed(), &json!({})), outcome };
    match Slack::next(delivery(&failed(), &json!({})), vec![exchange]) {
        Step::Done(verdict) => verdict,
        other => panic!("expected a verdict, got {other:?}"),
    }
}

fn problems(settings: &Value) -> Vec<Problem> {
    Slack::check(Settings::new(settings.to_string())).err().unwrap_or_default()
}

#[test]
fn settings_that_do_not_fit_are_refused_with_a_pointer() {
    assert_eq!(problems(&json!({})), []);
    let good = json!({
        "mention": "here", "show_fields": false, "link_template": "https://example.com/{run_id}"
    });
    assert_eq!(problems(&good), []);
    for (settings, pointer) in [
        (json!({"mention": "<!here>"}), "/mention"),
        (json!({"show_fields": "no"}), "/show_fields"),
        (json!({"link_template": "https://example.com/{run}"}), "/link_template"),
        (json!({"channel": "#ops"}), "/channel"),
    ] {
        let found = problems(&settings);
        assert_eq!(found[0].pointer, pointer, "{settings}: {found:?}");
    }
}
