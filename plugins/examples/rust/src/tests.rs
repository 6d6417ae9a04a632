//! What is sent for an alert, and a verdict for each of Opsgenie's answers.

use exosphere_alerts_sdk::{
    Delivery, Endpoint, Exchange, Outcome, Request, Response, SecretRef, Step, Target, Verdict,
};
use serde_json::{Value, json};

use crate::Opsgenie;

fn delivery(event_type: &str) -> Delivery {
    let alert = json!({
        "version": "1", "id": "dlv_01", "type": event_type,
        "occurred_at": "2026-01-01T00:00:00Z", "namespace": "prod",
        "rule": {"id": "rule_01", "name": "Failed runs"}, "trigger": {"type": "event"},
        "workflow": {"graph_name": "etl/eu", "run_id": "7b2f", "errored_count": 3},
        "event": {"id": "e-1", "source": "/v0/namespace/prod"}
    });
    Delivery {
        id: "dlv_01".into(),
        attempt: 1,
        now: 1_767_225_600_000,
        seed: 7,
        alert: alert.to_string().into_bytes(),
        endpoint: Endpoint {
            url: "https://api.opsgenie.com/v2/alerts".into(),
            settings: br#"{"priority":"P1","teams":["Data"]}"#.to_vec(),
            headers: vec![("Authorization".into(), "none".into()), ("X-Team".into(), "a".into())],
            secrets: vec![SecretRef { name: "api_key".into(), reference: "ref".into() }],
            extensions: Vec::new(),
        },
        extensions: Vec::new(),
    }
}

fn sent(event_type: &str) -> Request {
    match Opsgenie::next(delivery(event_type), Vec::new()) {
        Step::Send(request) => request,
        other => panic!("expected a request, got {other:?}"),
    }
}

fn verdict(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let outcome = Outcome::Response(Response {
        status,
        headers,
        body: body.into(),
        truncated: false,
        extensions: Vec::new(),
    });
    let exchange = Exchange { request: sent("workflow.failed"), outcome };
    match Opsgenie::next(delivery("workflow.failed"), vec![exchange]) {
        Step::Done(verdict) => verdict,
        other => panic!("expected a verdict, got {other:?}"),
    }
}

#[test]
fn an_alert_is_opened_under_the_runs_alias() {
    let request = sent("workflow.failed");
    assert_eq!(request.url, "https://api.opsgenie.com/v2/alerts");
    let headers =
        [("content-type", "application/json"), ("authorization", "GenieKey ref"), ("X-Team", "a")];
    assert_eq!(request.headers, headers.map(|(name, value)| (name.into(), value.into())));
    assert_eq!(
        serde_json::from_slice::<Value>(&request.body).unwrap(),
        json!({
            "message": "Workflow failed: etl/eu", "alias": "exosphere/run/prod/etl%2Feu/7b2f",
            "description": "workflow.failed at 2026-01-01T00:00:00Z, in prod. Rule: Failed runs.",
            "priority": "P1", "tags": [], "responders": [{"type": "team", "name": "Data"}],
            "entity": "etl/eu", "source": "Exosphere, prod",
            "details": {
                "graph_name": "etl/eu", "run_id": "7b2f", "errored_count": 3,
                "rule": "Failed runs", "delivery": "dlv_01"
            }
        })
    );
}

#[test]
fn a_run_that_succeeds_closes_what_it_opened() {
    let url = "https://api.opsgenie.com/v2/alerts/exosphere%2Frun%2Fprod%2Fetl%252Feu%2F7b2f\
        /close?identifierType=alias";
    assert_eq!(sent("workflow.succeeded").url, url);
}

#[test]
fn each_answer_has_its_verdict() {
    let accepted = r#"{"result":"Request will be processed","requestId":"43a29c5c"}"#;
    assert_eq!(verdict(202, &[], accepted), Verdict::Delivered(Some("43a29c5c".into())));
    let limited = verdict(429, &[("retry-after", "7")], r#"{"message":"Too many requests"}"#);
    let reason = "Opsgenie answered 429: Too many requests";
    assert_eq!(limited, Verdict::retry(Some(7_000), reason));
    assert_eq!(verdict(503, &[], "<html>"), Verdict::retry(None, "Opsgenie answered 503"));
    for status in [400, 401, 403, 404, 422] {
        assert!(matches!(verdict(status, &[], "{}"), Verdict::Rejected(_)), "{status}");
    }
    assert!(matches!(verdict(410, &[], "{}"), Verdict::Gone(_)));
}
