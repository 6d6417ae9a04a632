//! What lists tell at once: of webhooks their circuit and the grace of an old secret, of rules
//! when they fired, of deliveries how many there are and what was sent again; and the hosts.

use std::time::Duration;

use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

fn items(listed: &Value) -> &Vec<Value> {
    listed["data"].as_array().unwrap()
}

#[tokio::test]
async fn a_webhook_says_until_when_its_old_secret_signs_also_after_a_reload() {
    let host = TestHost::start().await;
    let made = host.api.endpoint("http://127.0.0.1:9/", json!({})).await;
    assert!(made["previous_secret_valid_until"].is_null());
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let rotated = host.api.post(&format!("{path}/rotate-secret"), json!({})).await.expect(200);
    let until = &rotated["previous_secret_valid_until"];
    assert!(until.is_string());
    assert_eq!(host.api.get(&path).await.expect(200)["previous_secret_valid_until"], *until);
    let listed = host.api.get("/v1/webhooks").await.expect(200);
    assert_eq!(items(&listed)[0]["previous_secret_valid_until"], *until);
    host.later(Duration::from_secs(24 * 60 * 60));
    assert!(host.api.get(&path).await.expect(200)["previous_secret_valid_until"].is_null());
}

#[tokio::test]
async fn a_list_of_webhooks_says_which_are_left_alone_and_until_when() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/down", &[503]);
    let down = host.api.endpoint(&receiver.url("/down"), json!({})).await;
    let fine = host.api.endpoint(&receiver.url("/fine"), json!({})).await;
    host.api.rule(&down, json!({})).await;
    for n in 0..5 {
        host.api.event(failed(&format!("evt-{n}"))).await;
    }
    let listed = eventually("its circuit is open", async || {
        let listed = host.api.get("/v1/webhooks").await.expect(200);
        items(&listed).iter().any(|each| each["circuit"]["state"] == "open").then_some(listed)
    })
    .await;
    let of = |made: &Value| items(&listed).iter().find(|each| each["id"] == made["id"]).unwrap();
    assert_eq!(of(&down)["circuit"]["state"], "open");
    assert!(of(&down)["circuit"]["next_probe_at"].is_string());
    assert_eq!(of(&fine)["circuit"]["state"], "closed");
}

#[tokio::test]
async fn a_rule_says_when_it_fired_last_and_how_often_of_late() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let rule = host.api.rule(&endpoint, json!({})).await;
    let idle = host.api.rule(&endpoint, json!({"event_type": "never"})).await;
    assert!(rule["fired_24h"].is_null(), "not looked up for a change");
    for n in 0..3 {
        host.api.event(failed(&format!("evt-{n}"))).await;
    }
    let of = |listed: &Value, made: &Value| {
        items(listed).iter().find(|each| each["id"] == made["id"]).unwrap().clone()
    };
    let listed = eventually("three are counted", async || {
        let listed = host.api.get("/v1/alert-rules").await.expect(200);
        let fired = of(&listed, &rule);
        (fired["fired_24h"] == 3 && fired["last_fired_at"].is_string()).then_some(listed)
    })
    .await;
    let newest = host.api.deliveries().await[0]["created_at"].clone();
    assert_eq!(of(&listed, &rule)["last_fired_at"], newest);
    let idle = of(&listed, &idle);
    assert_eq!((&idle["fired_24h"], &idle["last_fired_at"]), (&json!(0), &Value::Null));
    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    assert_eq!(host.api.get(&path).await.expect(200)["fired_24h"], 3);
    host.later(Duration::from_secs(25 * 60 * 60));
    let later = host.api.get(&path).await.expect(200);
    assert_eq!((&later["fired_24h"], &later["last_fired_at"]), (&json!(0), &newest));
}

#[tokio::test]
async fn dead_letters_are_counted_before_they_are_redriven_and_marked_after() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.answer("/hook", &[500, 500, 200]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({"retry_policy": {"max_retries": 0}})).await;
    for n in 0..2 {
        host.api.event(failed(&format!("evt-{n}"))).await;
        receiver.wait_for(n + 1).await;
    }
    let counted = async |query: &str| {
        host.api.get(&format!("/v1/deliveries/counts{query}")).await.expect(200)
    };
    let counts = eventually("both are dead", async || {
        let counts = counted("").await;
        (counts["by_status"]["dead"] == 2).then_some(counts)
    })
    .await;
    assert_eq!((&counts["to_redrive"], &counts["by_status"]["delivered"]), (&json!(2), &json!(0)));
    let dead = host.api.get("/v1/dead-letters").await.expect(200);
    let first = &items(&dead)[1]["id"];
    let redriven =
        host.api.post("/v1/dead-letters/redrive", json!({"ids": [first]})).await.expect(200);
    let again = &redriven["results"][0]["delivery_id"];

    let listed = host.api.get("/v1/dead-letters").await.expect(200);
    let marks: Vec<&Value> = items(&listed).iter().map(|each| &each["redriven_as"]).collect();
    assert_eq!(marks, [&Value::Null, again]);
    let path = format!("/v1/deliveries/{}", first.as_str().unwrap());
    assert_eq!(host.api.get(&path).await.expect(200)["redriven_as"], *again);
    for (query, count) in [("redriven=true", 1), ("redriven=false", 1)] {
        let some = host.api.get(&format!("/v1/dead-letters?{query}")).await.expect(200);
        assert_eq!(items(&some).len(), count, "{query}");
        assert_eq!(items(&some)[0]["redriven_as"].is_string(), query == "redriven=true");
    }
    eventually("the repetition is delivered", async || {
        let counts = counted("").await;
        (counts["by_status"]["delivered"] == 1).then_some(())
    })
    .await;
    let id = endpoint["id"].as_str().unwrap();
    let of_it = counted(&format!("?webhook_endpoint_id={id}")).await;
    assert_eq!((&of_it["to_redrive"], &of_it["by_status"]["dead"]), (&json!(1), &json!(2)));
    let later = host.now() + jiff::SignedDuration::from_hours(1);
    let none = counted(&format!("?from={later}")).await;
    assert_eq!((&none["to_redrive"], &none["by_status"]["dead"]), (&json!(0), &json!(0)));
    let foreign = host.tenant("another").get("/v1/deliveries/counts").await.expect(200);
    assert_eq!(foreign["by_status"]["dead"], 0);
}

#[tokio::test]
async fn an_operator_sees_the_hosts_and_what_the_one_that_was_asked_says_of_itself() {
    let url = fresh_database().await;
    let (one, two) = (TestHost::on(&url).await, TestHost::on(&url).await);
    let operator = one.api.with("x-exosphere-namespace", None);
    let listed = operator.get("/v1/hosts").await.expect(200);
    let ids: Vec<&Value> = items(&listed).iter().map(|host| &host["id"]).collect();
    for host in [&one, &two] {
        assert!(ids.contains(&&json!(host.engine().host_id())), "{ids:?}");
    }
    for host in items(&listed) {
        assert_eq!(host["is_alive"], true, "{host}");
        assert_eq!(host["version"], env!("CARGO_PKG_VERSION"));
        let is_asked = host["id"] == json!(one.engine().host_id());
        assert_eq!(host["own"]["troubles"].is_array(), is_asked, "{host}");
    }
    let key = one.api.post("/v1/api-keys", json!({"name": "a", "role": "admin"})).await.expect(201);
    let admin = one.api.with("x-api-key", key["key"].as_str());
    assert!(admin.get("/v1/hosts").await.problem(403).is_empty());
}
