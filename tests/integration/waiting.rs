//! What waits for something else than a time: an endpoint that is off, a target that
//! has enough. And limits that hold across restarts.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// How many deliveries there are in a state.
async fn count(host: &TestHost, status: &str) -> usize {
    let listed = host.api.get(&format!("/v1/deliveries?status={status}&limit=200")).await;
    listed.expect(200)["data"].as_array().unwrap().len()
}

async fn switch(host: &TestHost, endpoint: &Value, is_active: bool) {
    let path = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap());
    host.api.patch(&path, json!({"is_active": is_active})).await.expect(200);
}

async fn post(host: &TestHost, events: u32) {
    for number in 0..events {
        host.api.event(failed(&format!("evt-{number}"))).await;
    }
}

fn forever_retried() -> Value {
    json!({"retry_policy": {"max_retries": 50, "strategy": "FIXED", "backoff_factor": 1000}})
}

#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_off_is_touched_by_nobody_and_goes_when_it_is_on() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, forever_retried()).await;
    post(&host, 3).await;
    receiver.wait_for(3).await;
    eventually("all are to be tried again", async || {
        (count(&host, "scheduled").await == 3).then_some(())
    })
    .await;
    switch(&host, &endpoint, false).await;
    let asked = receiver.received().len();
    host.later(Duration::from_secs(5));
    let waiting = eventually("the first says why it waits", async || {
        let all = host.api.deliveries().await;
        let said = |one: &Value| one["last_error"].as_str().unwrap_or("").contains("switched off");
        all.into_iter().find(said)
    })
    .await;
    assert_eq!(waiting["attempt_count"], 1, "waiting is no attempt");
    // A claim would change its time: it keeps that of its beginning.
    let due = waiting["next_attempt_at"].clone();
    assert_eq!(due, waiting["created_at"]);
    host.later(Duration::from_secs(3600));
    host.settled().await;
    let path = format!("/v1/deliveries/{}", waiting["id"].as_str().unwrap());
    assert_eq!(host.api.get(&path).await.expect(200)["next_attempt_at"], due);
    assert_eq!(receiver.received().len(), asked, "nothing was sent meanwhile");

    receiver.answer("/hook", &[200]);
    switch(&host, &endpoint, true).await;
    // The clock stands still: they go because it is on, not because time passes.
    receiver.wait_for(asked + 3).await;
    eventually("all are delivered", async || (count(&host, "delivered").await == 3).then_some(()))
        .await;
}

#[tokio::test]
async fn what_waited_for_too_long_is_given_up_whatever_it_waited_for() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, forever_retried()).await;
    post(&host, 1).await;
    receiver.wait_for(1).await;
    eventually("it is to be tried again", async || {
        (count(&host, "scheduled").await == 1).then_some(())
    })
    .await;
    switch(&host, &endpoint, false).await;
    host.later(Duration::from_secs(8 * 24 * 3600));
    let dead = eventually("it is given up", async || {
        // The host looks for what is too old with each beat of its lease.
        host.later(Duration::from_secs(6));
        host.api.deliveries().await.into_iter().find(|one| one["status"] == "dead")
    })
    .await;
    assert!(dead["last_error"].as_str().unwrap().contains("over a week old"), "{dead}");
    receiver.answer("/hook", &[200]);
    switch(&host, &endpoint, true).await;
    assert_eq!(receiver.received().len(), 1, "too old is too old");
}

#[tokio::test]
async fn a_target_that_has_enough_is_asked_no_more_until_its_rest_is_over() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.script("/hook", |_| {
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "60")]).into_response()
    });
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, forever_retried()).await;
    post(&host, 40).await;
    let asked = eventually("the target has said that it has enough", async || {
        let asked = receiver.received().len();
        let recorded = host.api.deliveries().await;
        let tried = recorded.iter().filter(|one| one["attempt_count"] == 1).count();
        (asked > 0 && tried == asked).then_some(asked)
    })
    .await;
    // Those that were on their way when the first answer came.
    assert!(asked <= 8, "asked {asked} times");
    host.later(Duration::from_secs(30));
    host.settled().await;
    assert_eq!(receiver.received().len(), asked, "it rests");

    receiver.answer("/hook", &[200]);
    // The rest, and the chance on top of it; then starts are spaced.
    for _ in 0..40 {
        host.later(Duration::from_secs(61));
        host.settled().await;
        if count(&host, "delivered").await == 40 {
            break;
        }
    }
    let delivered = eventually("all are delivered in the end", async || {
        host.later(Duration::from_secs(61));
        (count(&host, "delivered").await == 40).then_some(40)
    })
    .await;
    assert_eq!(receiver.received().len(), asked + delivered, "none was asked in vain again");
}

#[tokio::test]
async fn a_rate_limit_holds_across_a_restart() {
    let (mut host, receiver) = (TestHost::start().await, Receiver::start().await);
    let limit = json!({"rate_limit": {"per_minute": 1, "burst": 1}});
    let endpoint = host.api.endpoint(&receiver.url("/hook"), limit).await;
    host.api.rule(&endpoint, json!({})).await;
    post(&host, 4).await;
    receiver.wait_for(1).await;
    eventually("one is delivered", async || (count(&host, "delivered").await == 1).then_some(()))
        .await;
    host.restart().await;
    host.settled().await;
    assert_eq!(receiver.received().len(), 1, "its minute is not over");
    host.later(Duration::from_secs(60));
    receiver.wait_for(2).await;
    host.restart().await;
    host.settled().await;
    assert_eq!(receiver.received().len(), 2);
}
