use super::*;

fn answered(status: u16, body: &str) -> Outcome {
    Outcome::Response(Response {
        status,
        headers: Vec::new(),
        body: body.into(),
        truncated: false,
        extensions: Vec::new(),
    })
}

/// What comes after these answers, from the first request on.
fn after(outcomes: Vec<Outcome>) -> Step {
    let alert = of_type("exosphere.alerts.test");
    let mut exchanges = Vec::new();
    for outcome in outcomes {
        let step = PagerDuty::next(delivery(&alert, &json!({})), exchanges.clone());
        let Step::Send(request) = step else { panic!("expected a request, got {step:?}") };
        exchanges.push(Exchange { request, outcome });
    }
    PagerDuty::next(delivery(&alert, &json!({})), exchanges)
}

fn body(step: Step) -> Value {
    let Step::Send(request) = step else { panic!("expected a request, got {step:?}") };
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn a_test_is_marked_and_never_severe() {
    let settings = json!({
        "severity": "critical", "severity_by_type": {"exosphere.alerts.test": "critical"}
    });
    let event = event(&of_type("exosphere.alerts.test"), &settings);
    assert_eq!(
        (&event["event_action"], &event["payload"]["severity"]),
        (&json!("trigger"), &json!("info"))
    );
    let summary = event["payload"]["summary"].as_str().unwrap();
    assert!(summary.starts_with("[Test] [prod] "), "{summary}");
    // Not the key of the run, whose incident may be open.
    assert_eq!(event["dedup_key"], "exosphere/test/dlv_01");
}

#[test]
fn a_test_that_was_taken_is_resolved_in_the_same_attempt() {
    let accepted = || answered(202, r#"{"status":"success","dedup_key":"exosphere/test/dlv_01"}"#);
    let golden = json!({
        "routing_key": REFERENCE,
        "dedup_key": "exosphere/test/dlv_01",
        "event_action": "resolve",
    });
    assert_eq!(body(after(vec![accepted()])), golden);
    let key = Some("exosphere/test/dlv_01".into());
    assert_eq!(after(vec![accepted(), accepted()]), Step::Done(Verdict::Delivered(key)));
}

#[test]
fn a_test_that_was_not_taken_has_nothing_to_resolve() {
    let Step::Done(Verdict::Rejected(_)) = after(vec![answered(400, "")]) else {
        panic!("expected a rejection");
    };
    // The next attempt opens and resolves under the same key.
    let accepted = answered(202, "");
    let Step::Done(Verdict::Retry(_)) = after(vec![accepted, answered(503, "")]) else {
        panic!("expected a retry");
    };
}
