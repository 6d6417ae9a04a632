//! One tenant's trouble is nobody else's.

use std::time::Duration;

use alerts_engine::{Deadlines, EngineConfig};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::json;

use crate::support::events::failed;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// Burns all the fuel of a call: a condition is stopped, whatever it does.
const ENDLESS: &str = "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, \
    [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, \
    [1,2,3,4,5,6,7,8,9,10].all(f, a + b + c + d + e + f > 0))))))";

#[tokio::test]
async fn a_condition_that_never_ends_is_stopped_and_other_rules_go_on() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let endless = host.api.rule(&endpoint, json!({"name": "endless", "condition": ENDLESS})).await;
    host.api.rule(&endpoint, json!({"name": "good", "condition": "event.id != ''"})).await;
    let other = host.tenant("other");
    let elsewhere = other.endpoint(&receiver.url("/other"), json!({})).await;
    other.rule(&elsewhere, json!({"name": "other", "condition": "true"})).await;
    for n in 0..3 {
        host.api.event(failed(&format!("evt-{n}"))).await;
        other.event(failed(&format!("evt-{n}"))).await;
    }
    let received = receiver.wait_for(6).await;
    let names: Vec<_> = received.iter().map(|r| r.json()["rule"]["name"].clone()).collect();
    assert_eq!(names.iter().filter(|name| **name == "good").count(), 3);
    assert_eq!(names.iter().filter(|name| **name == "other").count(), 3);
    let path = format!("/v1/alert-rules/{}", endless["id"].as_str().unwrap());
    let told = crate::support::eventually("the endless rule says why", async || {
        let rule = host.api.get(&path).await.expect(200);
        rule["last_condition_error"].as_str().map(str::to_owned)
    })
    .await;
    assert!(told.contains("fuel") || told.contains("stopped"), "{told}");
}

#[tokio::test]
async fn a_target_that_does_not_answer_delays_no_other() {
    // So much patience that no attempt at the hole ends while this test runs.
    let patience = Duration::from_secs(3600);
    let deadlines = Deadlines { connect: patience, first_byte: patience, total: patience };
    let config = EngineConfig { deadlines, ..EngineConfig::default() };
    let (host, receiver) = (TestHost::configured(config).await, Receiver::start().await);
    // Accepts connections and never says a word.
    let hole = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hole_url = format!("http://{}/", hole.local_addr().unwrap());
    let dead = host.api.endpoint(&hole_url, json!({})).await;
    host.api.rule(&dead, json!({"name": "hole"})).await;
    let good = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&good, json!({"name": "good"})).await;
    for n in 0..100 {
        host.api.event(failed(&format!("evt-{n}"))).await;
    }
    receiver.wait_for(100).await;
    let deliveries = host.api.deliveries().await;
    let to_the_hole = deliveries.iter().filter(|one| one["webhook_endpoint_id"] == dead["id"]);
    let waiting: Vec<_> = to_the_hole.map(|one| (&one["attempt_count"], &one["status"])).collect();
    assert_eq!(waiting.len(), 100);
    assert!(waiting.iter().all(|(_, status)| *status == "leased" || *status == "scheduled"));
    // None of the others had an attempt at the hole to wait for.
    assert!(waiting.iter().all(|(attempts, _)| **attempts == 0), "{waiting:?}");
}

#[tokio::test]
async fn a_large_answer_is_cut_and_a_secret_that_is_echoed_is_hidden() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    receiver.script("/hook", |_| {
        (StatusCode::OK, format!("you said s3cr3t-value {}", "x".repeat(1 << 20))).into_response()
    });
    let auth =
        json!({"settings": {"auth": {"type": "bearer"}}, "secrets": {"token": "s3cr3t-value"}});
    let endpoint = host.api.endpoint(&receiver.url("/hook"), auth).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed("evt-1")).await;
    let delivery = host.api.delivery_with("delivered").await;
    let text = delivery.to_string();
    assert!(!text.contains("s3cr3t-value"));
    assert!(text.len() < 64 * 1024, "{}", text.len());
}
