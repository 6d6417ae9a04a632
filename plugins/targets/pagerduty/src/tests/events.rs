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
            "summary": "[prod] Workflow failed: etl. The run failed after 1 min 23 s; 3 of 10 states errored.",
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
    alert["workflow"] = json!({"run_id": 7});
    alert["event"]["subject"] = json!("host/db-7");
    assert_eq!(dedup_key(&alert), "exosphere/run/prod//7");
    alert["workflow"] = json!({"graph_name": "etl"});
    let subject = "exosphere/subject/prod/%2Fv0%2Fnamespace%2Fprod/host%2Fdb-7";
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
    alert["trigger"] = json!({"type": "threshold", "count": 1, "group": {long.as_str(): 1},
        "since": long});
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

fn breached(group: Value) -> Value {
    let mut alert = failed();
    alert["trigger"] = json!({"type": "threshold", "window_ms": 600_000, "count": 4, "limit": 3,
        "group": {"graph_name": "etl"}, "group_key": group, "since": "2025-12-31T23:52:00Z"});
    alert
}

#[test]
fn all_alerts_of_one_breach_and_its_end_are_one_incident() {
    let mut again = breached(json!("0f"));
    again["workflow"]["run_id"] = json!("another run");
    again["workflow"]["graph_name"] = json!("etl");
    again["trigger"]["count"] = json!(9);
    let key = "exosphere/threshold/prod/rule_01/0f";
    for alert in [breached(json!("0f")), again] {
        let event = event(&alert, &json!({}));
        assert_eq!((&event["event_action"], &event["dedup_key"]), (&json!("trigger"), &json!(key)));
    }
    let mut over = breached(json!("0f"));
    over["type"] = json!("exosphere.alerts.recovered");
    over["trigger"]["state"] = json!("recovered");
    over["workflow"] = json!({});
    let golden = json!({"routing_key": REFERENCE, "dedup_key": key, "event_action": "resolve"});
    assert_eq!(event(&over, &json!({})), golden);
}

#[test]
fn thresholds_of_other_rules_groups_and_tenants_stay_apart_from_each_other_and_from_runs() {
    let mut keys = vec![dedup_key(&failed())];
    for (place, value) in [("/namespace", "staging"), ("/rule/id", "rule_02")] {
        let mut other = breached(json!("0f"));
        *other.pointer_mut(place).unwrap() = json!(value);
        keys.push(dedup_key(&other));
    }
    keys.extend([breached(json!("0f")), breached(json!("1f"))].iter().map(dedup_key));
    let mut without_groups = breached(Value::Null);
    without_groups["trigger"]["group"] = json!({});
    keys.push(dedup_key(&without_groups));
    assert_eq!(keys.last().unwrap(), "exosphere/threshold/prod/rule_01/");
    let known = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), known, "{keys:?}");
}

#[test]
fn too_many_runs_that_succeed_open_an_incident_and_resolve_none() {
    let mut alert = breached(json!("0f"));
    alert["type"] = json!("workflow.succeeded");
    assert_eq!(event(&alert, &json!({}))["event_action"], "trigger");
}

#[test]
fn a_run_is_the_same_whether_its_data_or_its_subject_names_it() {
    let mut succeeded = of_type("workflow.succeeded");
    succeeded["workflow"] = json!({});
    assert_eq!(dedup_key(&succeeded), dedup_key(&failed()));
    succeeded["workflow"] = json!({"run_id": "7b2f"});
    assert_eq!(dedup_key(&succeeded), dedup_key(&failed()));
}

#[test]
fn the_hosts_link_is_used_where_the_endpoint_has_none_of_its_own() {
    let mut alert = failed();
    alert["run_url"] = json!("https://exosphere.example.com/graph/prod/7b2f");
    let links = |alert: &Value, settings: Value| event(alert, &settings)["links"].clone();
    let link = |href: &str| json!([{"href": href, "text": "Open the run"}]);
    assert_eq!(links(&alert, json!({})), link("https://exosphere.example.com/graph/prod/7b2f"));
    let own = json!({"link_template": "https://own.example/{run_id}"});
    assert_eq!(links(&alert, own), link("https://own.example/7b2f"));
    alert["run_url"] = json!(format!("https://x/{}", "a".repeat(2048)));
    assert_eq!(links(&alert, json!({})), Value::Null);
}

#[test]
fn data_that_makes_an_event_larger_than_pagerduty_takes_is_left_out() {
    let mut alert = failed();
    alert["data"] = json!({"error": "x".repeat(500_000)});
    assert!(event(&alert, &json!({}))["payload"]["custom_details"]["data"].is_object());
    alert["data"] = json!({"error": "x".repeat(525_000)});
    assert!(sent(&alert, &json!({})).body.len() < 10_000);
    let event = event(&alert, &json!({}));
    let details = &event["payload"]["custom_details"];
    assert_eq!(details["data"], Value::Null);
    assert_eq!(details["data_left_out"], "525012 bytes of data are more than PagerDuty takes");
    assert_eq!(details["run_id"], "7b2f");
}

#[test]
fn the_summary_says_what_a_phone_reads_out() {
    let summary = |alert: &Value| event(alert, &json!({}))["payload"]["summary"].clone();
    let words = "[prod] Workflow failed 4 times in 10 min: etl. Up to 3 are allowed. The first was \
                 at 2025-12-31 23:52:00 UTC, the latest is run 7b2f.";
    assert_eq!(summary(&breached(json!("0f"))), words);
    let mut slow = of_type("workflow.duration_exceeded");
    slow["trigger"] = json!({"type": "duration", "threshold_ms": 900_000, "elapsed_ms": 910_000});
    let words = "[prod] Workflow is taking too long: etl. The run has been going for 15 min 10 s \
                 and has not ended; 15 min are allowed.";
    assert_eq!(summary(&slow), words);
}

#[test]
fn alerts_of_one_incident_have_one_order() {
    let order = |alert: &Value| {
        let alert = serde_json::from_value(alert.clone()).unwrap();
        PagerDuty::key(alert, Settings::new("{}")).unwrap()
    };
    let mut over = breached(json!("0f"));
    over["type"] = json!("exosphere.alerts.recovered");
    over["trigger"]["state"] = json!("recovered");
    assert_eq!(order(&over), order(&breached(json!("0f"))));
    assert_eq!(order(&of_type("workflow.succeeded")), order(&failed()));
    assert_ne!(order(&failed()), order(&over));
    for alert in [over, failed()] {
        assert_eq!(order(&alert), dedup_key(&alert), "as PagerDuty joins them");
    }
}
