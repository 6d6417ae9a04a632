//! Golden events, and a verdict for each of PagerDuty's answers.

mod answers;
mod events;
mod test_alert;

use exosphere_alerts_sdk::{
    Delivery, Endpoint, Exchange, Ordered, Outcome, Problem, Request, Response, SecretRef,
    Settings, Step, Target, TransportError, Verdict,
};
use serde_json::{Value, json};

use crate::PagerDuty;

/// 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600_000;
/// The manifest's `default_url`.
const URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// What stands for the routing key.
const REFERENCE: &str = "exosphere-secret-routing_key-00ff";

fn failed() -> Value {
    json!({
        "version": "1", "id": "dlv_01", "type": "workflow.failed",
        "occurred_at": "2026-01-01T00:00:00Z", "namespace": "prod",
        "rule": {"id": "rule_01", "name": "Failed runs"}, "trigger": {"type": "event"},
        "workflow": {
            "graph_name": "etl", "run_id": "7b2f", "status": "FAILED", "duration_ms": 83_000,
            "errored_count": 3, "total_count": 10, "failed_state_id": "65f0c0ffee"
        },
        "event": {"id": "e-1", "source": "/v0/namespace/prod", "subject": "graph/etl/run/7b2f"}
    })
}

fn of_type(event_type: &str) -> Value {
    let mut alert = failed();
    alert["type"] = json!(event_type);
    alert
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
            headers: vec![("X-Team".into(), "payments".into())],
            secrets: vec![SecretRef { name: "routing_key".into(), reference: REFERENCE.into() }],
            extensions: Vec::new(),
        },
        extensions: Vec::new(),
    }
}

fn sent(alert: &Value, settings: &Value) -> Request {
    match PagerDuty::next(delivery(alert, settings), Vec::new()) {
        Step::Send(request) => request,
        other => panic!("expected a request, got {other:?}"),
    }
}

fn event(alert: &Value, settings: &Value) -> Value {
    serde_json::from_slice(&sent(alert, settings).body).unwrap()
}

fn verdict(outcome: Outcome) -> Verdict {
    let exchange = Exchange { request: sent(&failed(), &json!({})), outcome };
    match PagerDuty::next(delivery(&failed(), &json!({})), vec![exchange]) {
        Step::Done(verdict) => verdict,
        other => panic!("expected a verdict, got {other:?}"),
    }
}

fn problems(settings: &Value) -> Vec<Problem> {
    PagerDuty::check(Settings::new(settings.to_string())).err().unwrap_or_default()
}

#[test]
fn settings_that_do_not_fit_are_refused_with_a_pointer() {
    assert_eq!(problems(&json!({})), []);
    let good = json!({
        "severity": "critical",
        "severity_by_type": {"workflow.duration_exceeded": "warning"},
        "link_template": "https://example.com/{run_id}"
    });
    assert_eq!(problems(&good), []);
    for (settings, pointer) in [
        (json!({"severity": "fatal"}), "/severity"),
        (json!({"severity_by_type": {"a": "fatal"}}), "/severity_by_type/a"),
        (json!({"link_template": "https://example.com/{run}"}), "/link_template"),
        (json!({"region": "eu"}), "/region"),
        // What no schema says:
        (
            json!({"severity_by_type": {"workflow.succeeded": "info"}}),
            "/severity_by_type/workflow.succeeded",
        ),
        (json!({"severity_by_type": {"workflow/~*": "info"}}), "/severity_by_type/workflow~1~0*"),
        (
            json!({"severity_by_type": {"workflow failed": "info"}}),
            "/severity_by_type/workflow failed",
        ),
    ] {
        let found = problems(&settings);
        assert_eq!(found[0].pointer, pointer, "{settings}: {found:?}");
    }
}

#[test]
fn without_its_routing_key_an_alert_is_rejected_with_what_to_add() {
    let mut delivery = delivery(&failed(), &json!({}));
    delivery.endpoint.secrets.clear();
    let Step::Done(Verdict::Rejected(reason)) = PagerDuty::next(delivery, Vec::new()) else {
        panic!("expected a rejection");
    };
    assert!(reason.contains("no secret named `routing_key`"), "{reason}");
}

#[test]
fn an_alert_that_does_not_read_is_rejected() {
    let mut broken = failed();
    broken["namespace"] = Value::Null;
    let step = PagerDuty::next(delivery(&broken, &json!({})), Vec::new());
    assert!(matches!(step, Step::Done(Verdict::Rejected(_))), "{step:?}");
}
