//! Thresholds that recover: one incident for one breach, and its end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::alerting::assert_valid;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const MINUTE: Duration = Duration::from_secs(60);

/// More than one failure of a graph in ten minutes.
fn threshold(more: Value) -> Value {
    let mut trigger = json!({"type": "threshold", "window_ms": 600_000, "count": 1,
        "group_by": ["graph_name"]});
    trigger.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"trigger": trigger})
}

/// A failure of a graph, now.
async fn fail(host: &TestHost, id: &str, graph: &str) {
    let mut event = failed(id);
    event["time"] = json!(host.now());
    event["data"]["graph_name"] = json!(graph);
    event["data"]["run_id"] = json!(id);
    host.api.event(event).await;
}

async fn pagerduty(host: &TestHost, receiver: &Receiver) -> Value {
    let more = json!({"target": "pagerduty",
        "secrets": {"routing_key": "0123456789abcdef0123456789abcdef"}});
    host.api.endpoint(&receiver.url("/v2/enqueue"), more).await
}

/// Action and key of each event that was sent.
fn sent(receiver: &Receiver) -> Vec<(String, String)> {
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    let bodies = receiver.received().into_iter().map(|received| received.json());
    bodies.map(|event| (text(&event, "event_action"), text(&event, "dedup_key"))).collect()
}

#[tokio::test]
async fn a_threshold_that_recovers_resolves_its_incident() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = pagerduty(&host, &receiver).await;
    let rule = host.api.rule(&endpoint, threshold(json!({}))).await;
    for id in ["a1", "a2", "a3"] {
        fail(&host, id, "etl").await;
        if id == "a2" {
            // It has fired, and is told of before the other one.
            receiver.wait_for(1).await;
        }
        fail(&host, &format!("{id} of another"), "report").await;
        host.later(MINUTE);
    }
    receiver.wait_for(2).await;
    // The failures at 0 and 1 have left by 11; that at 2 alone is not too much.
    host.later(7 * MINUTE);
    host.settled().await;
    assert_eq!(receiver.received().len(), 2, "two in the window are still too many");
    host.later(MINUTE);
    host.settled().await;
    receiver.wait_for(4).await;
    let sent = sent(&receiver);
    let (etl, report) = (&sent[0].1, &sent[1].1);
    assert_ne!(etl, report);
    let of = |key: &str| -> Vec<&str> {
        sent.iter().filter(|(_, known)| known == key).map(|(action, _)| action.as_str()).collect()
    };
    assert_eq!((of(etl), of(report)), (vec!["trigger", "resolve"], vec!["trigger", "resolve"]));
    assert!(etl.contains(rule["id"].as_str().unwrap()), "{etl}");

    let told = host.api.get("/v1/events?type=exosphere.alerts.recovered").await.expect(200);
    let told = &told["data"][0];
    assert_eq!(told["rules"][0]["reason"], "fired");
    assert_eq!(told["rules"][0]["detail"], "1 in the last 10m; fires at more than 1");

    // The next breach opens it anew, under the same key.
    for id in ["b1", "b2"] {
        fail(&host, id, "etl").await;
    }
    receiver.wait_for(5).await;
    assert_eq!(self::sent(&receiver)[4], ("trigger".to_owned(), etl.clone()));
}

#[tokio::test]
async fn two_alerts_of_one_breach_are_one_incident() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = pagerduty(&host, &receiver).await;
    host.api.rule(&endpoint, threshold(json!({"cooldown_ms": 120_000}))).await;
    for number in 4..8 {
        fail(&host, &format!("r{number}"), "billing").await;
        host.later(MINUTE);
    }
    receiver.wait_for(2).await;
    let sent = sent(&receiver);
    assert_eq!(sent[0].0, "trigger");
    assert_eq!(sent[0], sent[1]);
}

#[tokio::test]
async fn a_recovery_outlives_a_restart() {
    let (mut host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = pagerduty(&host, &receiver).await;
    host.api.rule(&endpoint, threshold(json!({}))).await;
    for id in ["a1", "a2"] {
        fail(&host, id, "etl").await;
    }
    receiver.wait_for(1).await;
    host.restart_later(60 * MINUTE).await;
    let both = receiver.wait_for(2).await;
    assert_eq!(both[1].json()["event_action"], "resolve");
}

#[tokio::test]
async fn an_event_that_finds_the_breach_over_has_it_told() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = pagerduty(&host, &receiver).await;
    let ratio = json!({"count": null, "ratio": {"above": 0.5, "min_total": 2}});
    let mut rule = threshold(ratio);
    rule["trigger"].as_object_mut().unwrap().remove("count");
    host.api.rule(&endpoint, rule).await;
    for id in ["a1", "a2"] {
        fail(&host, id, "etl").await;
    }
    receiver.wait_for(1).await;
    for id in ["b1", "b2"] {
        let mut event = failed(id);
        event["type"] = json!("workflow.succeeded");
        event["time"] = json!(host.now());
        event["data"]["graph_name"] = json!("etl");
        host.api.event(event).await;
    }
    // At once, and not when the failures have left the window.
    let both = receiver.wait_for(2).await;
    assert_eq!(both[1].json()["event_action"], "resolve");
    let newest = host.api.get("/v1/events?type=workflow.succeeded&limit=1").await.expect(200);
    assert_eq!(newest["data"][0]["rules"][0]["reason"], "recovered");
}

#[tokio::test]
async fn another_target_is_told_of_an_end_where_the_rule_asks_for_it() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let http = host.api.endpoint(&receiver.url("/asked"), json!({})).await;
    let quiet = host.api.endpoint(&receiver.url("/quiet"), json!({})).await;
    let pagerduty = pagerduty(&host, &receiver).await;
    host.api.rule(&http, threshold(json!({"recovery": true}))).await;
    host.api.rule(&quiet, threshold(json!({}))).await;
    host.api.rule(&pagerduty, threshold(json!({"recovery": false}))).await;
    for id in ["a1", "a2"] {
        fail(&host, id, "etl").await;
    }
    receiver.wait_for(3).await;
    let since = host.now();
    host.later(11 * MINUTE);
    host.settled().await;
    receiver.wait_for(4).await;
    let alert = receiver.at("/asked")[1].json();
    assert_valid(&alert);
    assert_eq!(alert["type"], "exosphere.alerts.recovered");
    let trigger = &alert["trigger"];
    assert_eq!(trigger["state"], "recovered");
    assert_eq!(trigger["event_type"], "workflow.failed");
    assert_eq!((&trigger["count"], &trigger["limit"]), (&json!(0), &json!(1)));
    assert_eq!(trigger["group"], json!({"graph_name": "etl"}));
    assert_eq!(trigger["since"], json!(since));
    let breach = receiver.at("/asked")[0].json();
    assert_eq!(trigger["group_key"], breach["trigger"]["group_key"]);
    // Nothing more comes, however often one looks.
    eventually("all deliveries are done", async || {
        let deliveries = host.api.deliveries().await;
        deliveries.iter().all(|delivery| delivery["status"] == "delivered").then_some(())
    })
    .await;
    assert_eq!((receiver.at("/quiet").len(), receiver.at("/v2/enqueue").len()), (1, 1));
}

#[tokio::test]
async fn a_run_that_succeeds_after_all_resolves_what_it_opened() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = pagerduty(&host, &receiver).await;
    host.api.rule(&endpoint, json!({"event_type": "workflow.*"})).await;
    fail(&host, "7", "etl").await;
    receiver.wait_for(1).await;
    // The same run, which here only the subject names.
    let succeeded = json!({"specversion": "1.0", "id": "s", "source": "/s",
        "type": "workflow.succeeded", "subject": "graph/etl/run/7"});
    host.api.event(succeeded).await;
    receiver.wait_for(2).await;
    let sent = sent(&receiver);
    assert_eq!(sent[0], ("trigger".to_owned(), "exosphere/run/payments/etl/7".to_owned()));
    assert_eq!(sent[1], ("resolve".to_owned(), sent[0].1.clone()));
}
