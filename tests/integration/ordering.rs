//! Alerts about one incident: the newest wins, and none overtakes another on its way.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::events::{failed, failed_with};
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const HOUR: Duration = Duration::from_secs(3600);
const PATH: &str = "/v2/enqueue";

/// Rules by which a run that fails opens an incident, which its success resolves.
async fn on_call(host: &TestHost, receiver: &Receiver) {
    let secrets = json!({"routing_key": "0123456789abcdef0123456789abcdef"});
    let more = json!({"target": "pagerduty", "secrets": secrets});
    let endpoint = host.api.endpoint(&receiver.url(PATH), more).await;
    let hourly = json!({"max_retries": 3, "strategy": "FIXED", "backoff_factor": 3_600_000,
        "max_delay": 3_600_000});
    host.api.rule(&endpoint, json!({"retry_policy": hourly})).await;
    let succeeded = json!({"event_type": "workflow.succeeded", "retry_policy": hourly});
    host.api.rule(&endpoint, succeeded).await;
}

async fn succeeds(host: &TestHost, id: &str) {
    host.api.event(failed_with(id, "type", json!("workflow.succeeded"))).await;
}

fn actions(receiver: &Receiver) -> Vec<Value> {
    receiver.received().iter().map(|sent| sent.json()["event_action"].clone()).collect()
}

#[tokio::test]
async fn a_resolved_incident_is_not_opened_again_by_an_alert_that_was_to_be_tried_again() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer(PATH, &[500, 202]);
    on_call(&host, &receiver).await;
    host.api.event(failed("1")).await;
    let opening = host.api.delivery_with("scheduled").await;
    succeeds(&host, "2").await;
    let resolving = host.api.delivery_with("delivered").await;
    host.later(HOUR);
    let superseded = host.api.delivery_with("canceled").await;
    assert_eq!(superseded["id"], opening["id"]);
    let told = superseded["last_error"].as_str().unwrap();
    assert!(told.contains(resolving["id"].as_str().unwrap()), "{told}");
    assert_eq!(superseded["attempts"].as_array().unwrap().len(), 1, "it was tried once");
    assert_eq!(actions(&receiver), ["trigger", "resolve"]);

    // The next failure is another incident's beginning, and newer than all before.
    host.api.event(failed("3")).await;
    receiver.wait_for(3).await;
    assert_eq!(actions(&receiver), ["trigger", "resolve", "trigger"]);
}

#[tokio::test]
async fn an_alert_waits_for_the_one_before_it_that_is_on_its_way() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let end = Arc::new(Semaphore::new(0));
    let ends = end.clone();
    receiver.script(PATH, move |number| {
        let ends = ends.clone();
        // The head says that it was taken, and the rest takes its time.
        let rest = stream::once(async move {
            if number == 0 {
                ends.acquire().await.unwrap().forget();
            }
            Ok::<_, std::io::Error>(Bytes::from_static(b"{}"))
        });
        Response::builder().status(202).body(Body::from_stream(rest)).unwrap()
    });
    on_call(&host, &receiver).await;
    host.api.event(failed("1")).await;
    receiver.wait_for(1).await;
    succeeds(&host, "2").await;
    let waits = eventually("the second waits for the first", async || {
        let all = host.api.deliveries().await;
        let waits = |one: &&Value| {
            one["last_error"].as_str().is_some_and(|told| told.contains("on its way"))
        };
        all.iter().find(waits).cloned()
    })
    .await;
    assert_eq!((&waits["status"], actions(&receiver).len()), (&json!("scheduled"), 1));
    end.add_permits(1);
    host.api.delivery_with("delivered").await;
    host.later(Duration::from_secs(1));
    receiver.wait_for(2).await;
    assert_eq!(actions(&receiver), ["trigger", "resolve"]);
}

#[tokio::test]
async fn two_incidents_and_other_targets_wait_for_nobody() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer(PATH, &[500, 202]);
    on_call(&host, &receiver).await;
    host.api.event(failed("1")).await;
    host.api.delivery_with("scheduled").await;
    let mut other = failed("2");
    other["data"]["run_id"] = json!("another");
    host.api.event(other).await;
    host.api.delivery_with("delivered").await;
    host.later(HOUR);
    receiver.wait_for(3).await;
    assert_eq!(actions(&receiver), ["trigger", "trigger", "trigger"]);
}
