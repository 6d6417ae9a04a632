//! The host tells of its own trouble as events, and never of trouble with telling it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

/// No retries: one failed attempt is a dead letter.
fn once() -> Value {
    json!({"max_retries": 0})
}

/// The events about trouble that there are, oldest first.
async fn told(host: &TestHost) -> Vec<Value> {
    let listed = host.api.get("/v1/events?limit=200").await.expect(200);
    let mut events: Vec<Value> =
        listed["data"].as_array().unwrap().iter().map(|one| one["event"].clone()).collect();
    events.retain(|event| event["type"].as_str().unwrap().starts_with("exosphere.alerts."));
    events.reverse();
    events
}

/// The first event of a type, once it is there; the clock goes on meanwhile.
async fn event_of(host: &TestHost, event_type: &str) -> Value {
    eventually(&format!("an event {event_type}"), async || {
        host.later(Duration::from_secs(1));
        let told = told(host).await;
        told.into_iter().find(|event| event["type"] == format!("exosphere.alerts.{event_type}"))
    })
    .await
}

#[tokio::test]
async fn one_endpoint_tells_of_anothers_circuit_and_dead_letters() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/down", &[503]);
    let down = host.api.endpoint(&receiver.url("/down"), json!({"name": "Down"})).await;
    let well = host.api.endpoint(&receiver.url("/well"), json!({"name": "Well"})).await;
    host.api.rule(&down, json!({"retry_policy": once()})).await;
    let about = json!({"name": "Trouble", "event_type": "exosphere.alerts.*"});
    host.api.rule(&well, about).await;
    for number in 0..5 {
        host.api.event(failed(&format!("evt-{number}"))).await;
    }
    let opened = event_of(&host, "circuit_opened").await;
    assert_eq!(opened["subject"], format!("endpoint/{}", down["id"].as_str().unwrap()));
    assert_eq!(opened["data"]["webhook_endpoint_id"], down["id"]);
    assert_eq!(opened["data"]["webhook_endpoint_name"], "Down");
    let dead = event_of(&host, "dead_letters").await;
    assert!(dead["data"]["count"].as_u64().unwrap() >= 1, "{dead}");
    let alert = eventually("an alert about it", async || {
        let got = receiver.at("/well");
        got.iter().map(|got| got.json()).find(|alert| alert["type"] == opened["type"])
    })
    .await;
    assert_eq!(alert["event"]["subject"], opened["subject"]);

    receiver.answer("/down", &[200]);
    host.api.event(failed("evt-well")).await;
    let closed = event_of(&host, "circuit_closed").await;
    assert_eq!(closed["data"]["since"], opened["data"]["since"]);
    let types: Vec<_> = told(&host).await.iter().map(|event| event["type"].clone()).collect();
    let count = |name: &str| types.iter().filter(|known| **known == name).count();
    assert_eq!(count("exosphere.alerts.circuit_opened"), 1, "{types:?}");
}

#[tokio::test]
async fn an_endpoint_that_fails_for_an_hour_is_told_of_once_more() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/down", &[503]);
    let down = host.api.endpoint(&receiver.url("/down"), json!({})).await;
    host.api.rule(&down, json!({"retry_policy": {"max_retries": 50, "strategy": "FIXED", "backoff_factor": 1000}})).await;
    host.api.event(failed("evt-1")).await;
    let opened = event_of(&host, "circuit_opened").await;
    // Tried again now and then: one that nobody sends to is forgotten after an hour.
    for _ in 0..6 {
        let tried = receiver.at("/down").len();
        host.later(Duration::from_secs(601));
        eventually("another attempt", async || {
            host.later(Duration::from_secs(1));
            (receiver.at("/down").len() > tried).then_some(())
        })
        .await;
    }
    let failing = event_of(&host, "endpoint_failing").await;
    assert_eq!(failing["data"]["since"], opened["data"]["since"]);
}

#[tokio::test]
async fn a_rule_that_is_switched_off_and_a_condition_that_fails_are_told() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/gone", &[410]);
    let gone = host.api.endpoint(&receiver.url("/gone"), json!({})).await;
    let rule = host.api.rule(&gone, json!({"name": "To be off"})).await;
    let wrong = json!({"name": "Wrong", "condition": "event.data.no_such_field > 3"});
    let wrong = host.api.rule(&gone, wrong).await;
    host.api.event(failed("evt-1")).await;
    let disabled = event_of(&host, "rule_disabled").await;
    assert_eq!(disabled["data"]["alert_rule_id"], rule["id"]);
    assert_eq!(disabled["data"]["alert_rule_name"], "To be off");
    assert!(disabled["data"]["reason"].as_str().unwrap().contains("410"), "{disabled}");
    let failing = event_of(&host, "condition_failing").await;
    assert_eq!(failing["subject"], format!("rule/{}", wrong["id"].as_str().unwrap()));
    assert!(failing["data"]["error"].as_str().unwrap().contains("no_such_field"), "{failing}");
}

#[tokio::test]
async fn trouble_with_telling_of_trouble_makes_none() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/gone", &[410]);
    let gone = host.api.endpoint(&receiver.url("/gone"), json!({"gone_after": 100})).await;
    // It sees what is told of itself, and its condition fails with all of it.
    let on_all = json!({"event_type": "*", "retry_policy": once()});
    host.api.rule(&gone, on_all).await;
    let wrong =
        json!({"name": "Wrong", "event_type": "exosphere.*", "condition": "event.data.none > 3"});
    host.api.rule(&gone, wrong).await;
    host.api.event(failed("evt-1")).await;
    event_of(&host, "dead_letters").await;
    for _ in 0..5 {
        host.later(Duration::from_secs(400));
        host.api.event(json!({"specversion": "1.0", "id": format!("note-{}", host.now()), "source": "/test",
            "type": "exosphere.alerts.of_somebody"})).await;
        let all = eventually("deliveries that ended", async || {
            let all = host.api.deliveries().await;
            all.iter().all(|delivery| delivery["status"] == "dead").then_some(all)
        })
        .await;
        assert!(all.len() >= 2);
    }
    host.later(Duration::from_secs(400));
    let types: Vec<_> = told(&host).await.iter().map(|event| event["type"].clone()).collect();
    let of_host: Vec<_> =
        types.iter().filter(|known| **known != "exosphere.alerts.of_somebody").collect();
    assert_eq!(of_host, ["exosphere.alerts.dead_letters"], "{types:?}");
}
