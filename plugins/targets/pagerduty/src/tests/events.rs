use super::*;

fn dedup_key(alert: &Value) -> String {
    event(alert, &json!({}))["dedup_key"].as_str().unwrap().to_owned()
}

#[test]
fn a_failed_run_opens_an_incident() {
    let request = sent(&failed(), &json!({}));
    assert_eq!((request.method.as_str(), request.url.as_str(), request.sign), ("POST", URL, false));
    let headers = [("content-type", "application/json"), ("X-Team", "payments")];
    assert_eq!(request.headers, headers.map(|(name, value)| (name.into(), value.into())));
    let golden = json!({
        "routing_key": REFERENCE,
        "dedup_key": "exosphere/run/prod/etl/7b2f",
        "event_action": "trigger",
        "client": "Exosphere Alerts",
        "payload": {
            "summary": "[prod] Workflow failed: etl",
            "source": "/v0/namespace/prod",
            "severity": "error",
            "timestamp": "2026-01-01T00:00:00Z",
            "component": "etl",
            "group": "prod",
            "class": "workflow.failed",
            "custom_details": {
                "graph_name": "etl", "run_id": "7b2f", "status": "FAILED", "duration_ms": 83_000,
                "errored_count": 3, "total_count": 10, "failed_state_id": "65f0c0ffee",
                "rule": {"id": "rule_01", "name": "Failed runs"},
                "trigger": {"type": "event"},
                "event": {"id": "e-1", "source": "/v0/namespace/prod", "subject": "graph/etl/run/7b2f"},
                "delivery": "dlv_01",
            },
        },
    });
    assert_eq!(event(&failed(), &json!({})), golden);
}

#[test]
fn a_run_that_succeeded_resolves_what_it_opened() {
    let golden = json!({
        "routing_key": REFERENCE,
        "dedup_key": dedup_key(&failed()),
        "event_action": "resolve",
    });
    assert_eq!(event(&of_type("workflow.succeeded"), &json!({})), golden);
}

#[test]
fn everything_but_success_opens_an_incident() {
    for event_type in ["workflow.failed", "workflow.duration_exceeded", "workflow.started", "x"] {
        assert_eq!(event(&of_type(event_type), &json!({}))["event_action"], "trigger");
    }
}

#[test]
fn severity_comes_from_the_type_and_then_from_the_default() {
    let settings = json!({
        "severity": "critical", "severity_by_type": {"workflow.duration_exceeded": "warning"}
    });
    let severity =
        |event_type| event(&of_type(event_type), &settings)["payload"]["severity"].clone();
    assert_eq!(severity("workflow.failed"), "critical");
    assert_eq!(severity("workflow.duration_exceeded"), "warning");
}

#[test]
fn a_link_leads_to_the_run() {
    let settings = json!({"link_template": "https://example.com/{namespace}/{run_id}"});
    let event = event(&failed(), &settings);
    assert_eq!(event["client_url"], "https://example.com/prod/7b2f");
    let links = json!([{"href": "https://example.com/prod/7b2f", "text": "Open the run"}]);
    assert_eq!(event["links"], links);
}

#[test]
fn an_incident_is_of_the_run_then_of_the_subject_then_of_the_delivery() {
    let mut alert = failed();
    alert["workflow"]["run_id"] = json!(7);
    assert_eq!(dedup_key(&alert), "exosphere/run/prod/etl/7");
    alert["workflow"] = json!({"graph_name": "etl"});
    let subject = "exosphere/subject/prod/%2Fv0%2Fnamespace%2Fprod/graph%2Fetl%2Frun%2F7b2f";
    assert_eq!(dedup_key(&alert), subject);
    alert["event"] = json!({"id": "e-1", "source": "s"});
    assert_eq!(dedup_key(&alert), "exosphere/delivery/dlv_01");
}

#[test]
fn incidents_of_other_tenants_graphs_and_runs_stay_apart() {
    let of_run = |namespace: &str, graph: &str, run: &str| {
        let mut alert = failed();
        alert["namespace"] = json!(namespace);
        alert["workflow"]["graph_name"] = json!(graph);
        alert["workflow"]["run_id"] = json!(run);
        dedup_key(&alert)
    };
    assert_ne!(of_run("a/b", "c", "1"), of_run("a", "b/c", "1"));
    let long = "ü".repeat(400);
    let (one, other) = (of_run("prod", &long, "1"), of_run("prod", &long, "2"));
    assert_eq!((one.len(), other.len()), (255, 255));
    assert_ne!(one, other);
}

#[test]
fn hostile_strings_stay_inside_of_their_fields() {
    let hostile = "\",\"routing_key\":\"x\"}\n\u{202e}\u{0}<b>";
    let mut alert = failed();
    alert["namespace"] = json!(hostile);
    alert["workflow"] = json!({"graph_name": hostile, "run_id": hostile});
    alert["data"] = json!({hostile: hostile});
    let event = event(&alert, &json!({}));
    assert_eq!(event["routing_key"], REFERENCE);
    assert_eq!(event["payload"]["component"], hostile);
    assert_eq!(event["payload"]["custom_details"]["data"], json!({hostile: hostile}));
    let summary = event["payload"]["summary"].as_str().unwrap();
    assert!(!summary.contains(['\n', '\u{0}', '\u{202e}']), "{summary}");
    assert!(event["dedup_key"].as_str().unwrap().is_ascii());
}

#[test]
fn oversized_fields_are_cut_to_what_pagerduty_takes() {
    let long = "é😀".repeat(2_000);
    let mut alert = of_type(&long);
    alert["namespace"] = json!(long);
    alert["workflow"] = json!({"graph_name": long, "run_id": long});
    let event = event(&alert, &json!({}));
    let summary = event["payload"]["summary"].as_str().unwrap();
    assert_eq!(summary.chars().count(), 1024);
    assert!(summary.ends_with('…'));
    assert_eq!(event["dedup_key"].as_str().unwrap().len(), 255);
}

#[test]
fn numbers_reach_the_incident_digit_for_digit() {
    let mut delivery = delivery(&failed(), &json!({}));
    let alert = String::from_utf8(delivery.alert).unwrap();
    delivery.alert = alert.replace("83000", "18446744073709551617").into_bytes();
    let Step::Send(request) = PagerDuty::next(delivery, Vec::new()) else {
        panic!("expected a request");
    };
    let body = String::from_utf8(request.body).unwrap();
    assert!(body.contains(r#""duration_ms":18446744073709551617"#), "{body}");
}
