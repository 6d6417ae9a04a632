//! Retries, dead letters, and targets that are gone.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// Longer than any wait in these tests.
const LONG: Duration = Duration::from_secs(3600);

fn policy(max_retries: u32) -> Value {
    let strategy = "EXPONENTIAL_EQUAL_JITTER";
    json!({"retry_policy": {"max_retries": max_retries, "strategy": strategy, "backoff_factor": 1000}})
}

/// How long the only delivery has to wait, once it is scheduled after `attempts`.
async fn wait_after(host: &TestHost, attempts: u64) -> i64 {
    let next: jiff::Timestamp = eventually("a retry is scheduled", async || {
        let delivery = host.api.deliveries().await.into_iter().next()?;
        let waits = delivery["status"] == "scheduled" && delivery["attempt_count"] == attempts;
        waits.then(|| delivery["next_attempt_at"].as_str()?.parse().ok()).flatten()
    })
    .await;
    next.as_millisecond() - alerts_engine::Clock::now(&*host.clock).as_millisecond()
}

#[tokio::test]
async fn a_receiver_that_fails_twice_gets_three_attempts_with_growing_jittered_waits() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500, 500, 200]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, policy(5)).await;
    host.api.event(failed("evt-1")).await;

    receiver.wait_for(1).await;
    let first = wait_after(&host, 1).await;
    assert!((500..=1000).contains(&first), "{first} ms");
    host.later(Duration::from_millis(1000));
    receiver.wait_for(2).await;
    let second = wait_after(&host, 2).await;
    assert!((1000..=2000).contains(&second), "{second} ms");
    host.later(Duration::from_millis(2000));

    let received = receiver.wait_for(3).await;
    let delivery = host.api.delivery_with("delivered").await;
    for attempt in &received {
        assert_eq!(attempt.header("webhook-id"), delivery["id"].as_str().unwrap());
        assert_eq!(attempt.body, received[0].body, "the same bytes in every attempt");
    }
    let attempts = delivery["attempts"].as_array().unwrap();
    let codes: Vec<_> = attempts.iter().map(|attempt| attempt["status_code"].clone()).collect();
    assert_eq!(codes, [500, 500, 200]);
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn after_its_retries_a_delivery_is_a_dead_letter_and_redriving_it_delivers() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, policy(2)).await;
    host.api.event(failed("evt-1")).await;
    for attempts in 1..=2 {
        receiver.wait_for(attempts).await;
        wait_after(&host, attempts as u64).await;
        host.later(LONG);
    }
    let dead = host.api.delivery_with("dead").await;
    assert_eq!(dead["attempt_count"], 3);
    assert!(dead["last_error"].as_str().unwrap().contains("gave up after 3 attempts"));
    let letters = host.api.get("/v1/dead-letters").await.expect(200);
    assert_eq!(letters["data"][0]["id"], dead["id"]);

    receiver.answer("/hook", &[200]);
    let ids = json!({"ids": [dead["id"]]});
    host.api.post("/v1/dead-letters/redrive", ids).await.expect(200);
    let again = host.api.delivery_with("delivered").await;
    assert_ne!(again["id"], dead["id"]);
    assert_eq!(receiver.wait_for(4).await[3].header("webhook-id"), again["id"].as_str().unwrap());
    let rule = json!({"alert_rule_id": dead["alert_rule_id"]});
    let none = host.api.post("/v1/dead-letters/redrive", rule).await.expect(200);
    assert_eq!(none["redriven"], 0, "it was redriven already");
}

#[tokio::test]
async fn a_target_that_is_gone_switches_the_rule_off_and_says_why() {
    for status in [404, 410] {
        let (host, receiver) = (TestHost::start().await, Receiver::start().await);
        receiver.answer("/hook", &[status]);
        let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
        let rule = host.api.rule(&endpoint, json!({})).await;
        host.api.event(failed("evt-1")).await;
        host.api.delivery_with("dead").await;
        let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
        let rule = host.api.get(&path).await.expect(200);
        assert_eq!(rule["is_active"], false);
        assert!(rule["disabled_reason"].as_str().unwrap().contains(&status.to_string()));
        let audit = host.api.get("/v1/audit").await.expect(200);
        assert_eq!(audit["data"][0]["action"], "alert_rule.disabled");

        // It looks at nothing until a person switches it on again.
        eventually("the rule is off", async || {
            host.api.event(failed(&format!("evt-{}", jiff::Timestamp::now()))).await;
            let newest = host.api.get("/v1/events?limit=1").await.expect(200);
            newest["data"][0]["rules"].as_array().unwrap().is_empty().then_some(())
        })
        .await;
        let on = host.api.patch(&path, json!({"is_active": true})).await.expect(200);
        assert_eq!(on["disabled_reason"], Value::Null);
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_retry_after_is_honoured() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.script("/hook", |n| match n {
        0 => (StatusCode::FOUND, [("location", "/elsewhere")]).into_response(),
        1 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "120")]).into_response(),
        _ => StatusCode::OK.into_response(),
    });
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, policy(5)).await;
    host.api.event(failed("evt-1")).await;
    receiver.wait_for(1).await;
    wait_after(&host, 1).await;
    host.later(Duration::from_secs(2));
    receiver.wait_for(2).await;
    assert_eq!(wait_after(&host, 2).await, 120_000);
    // The endpoint rests for as long, and up to a fifth more.
    host.later(Duration::from_secs(144));
    host.api.delivery_with("delivered").await;
    assert!(receiver.at("/elsewhere").is_empty());
}

#[tokio::test]
async fn a_waiting_delivery_can_be_hurried_or_canceled_and_a_finished_one_cannot() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500, 500, 200]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, policy(5)).await;
    host.api.event(failed("evt-1")).await;
    receiver.wait_for(1).await;
    wait_after(&host, 1).await;
    let id = host.api.deliveries().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/deliveries/{id}");
    let hurried = host.api.post(&format!("{path}/retry"), json!({})).await;
    assert!(hurried.status < 300, "{}", hurried.body);
    receiver.wait_for(2).await;
    wait_after(&host, 2).await;
    let canceled = host.api.post(&format!("{path}/cancel"), json!({})).await;
    assert!(canceled.status < 300, "{}", canceled.body);
    host.api.delivery_with("canceled").await;
    host.api.post(&format!("{path}/cancel"), json!({})).await.problem(409);
    host.api.post(&format!("{path}/retry"), json!({})).await.problem(409);
}

#[tokio::test]
async fn what_waits_for_a_retry_is_sent_after_a_restart() {
    let (mut host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[503, 200]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, policy(5)).await;
    host.api.event(failed("evt-1")).await;
    receiver.wait_for(1).await;
    wait_after(&host, 1).await;
    host.restart().await;
    host.later(LONG);
    let delivery = host.api.delivery_with("delivered").await;
    assert_eq!(delivery["attempt_count"], 2);
}
