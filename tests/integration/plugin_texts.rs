//! What plugins say, as it is kept and shown: whatever it holds, on either
//! database, and in any amount.

use alerts_domain::exchange::{Step, Verdict};
use alerts_test_support::postgres::fresh_database;
use serde_json::{Value, json};

use crate::guest::{Language, Target, step};
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;

/// An adapter that has this verdict at once.
fn judging(id: &'static str, verdict: Verdict) -> Vec<u8> {
    Target::new().id(id).answering(|image| step::area(image, &Step::Done(verdict))).pack()
}

/// The delivery of one event by this adapter, once it is like this.
async fn delivered_by(host: &TestHost, wasm: Vec<u8>, status: &str) -> Value {
    let id = host.api.install(wasm).await["id"].as_str().unwrap().to_owned();
    let endpoint = host.api.endpoint("https://example.com/", json!({"target": id})).await;
    host.api.rule(&endpoint, json!({"event_type": format!("of.{id}")})).await;
    let mut event = failed(&id);
    event["type"] = json!(format!("of.{id}"));
    host.api.event(event).await;
    let path = format!("/v1/deliveries?webhook_endpoint_id={}", endpoint["id"].as_str().unwrap());
    let id = eventually(&format!("it is {status}"), async || {
        let listed = host.api.get(&path).await.expect(200);
        let delivery = &listed["data"][0];
        (delivery["status"] == status).then(|| delivery["id"].as_str().unwrap().to_owned())
    })
    .await;
    host.api.get(&format!("/v1/deliveries/{id}")).await.expect(200)
}

async fn what_an_adapter_says_is_kept(host: &TestHost) {
    let text = "a\0b".to_owned() + &"x".repeat(20_000);
    let kept = |told: &Value| {
        let told = told.as_str().expect("it is kept");
        told.starts_with("a\u{fffd}bxx") && told.len() <= 1024
    };
    let noting = judging("noting", Verdict::Delivered(Some(text.clone())));
    let delivery = delivered_by(host, noting, "delivered").await;
    assert!(kept(&delivery["attempts"][0]["note"]), "{delivery}");
    assert_eq!(delivery["attempts"][0]["error"], Value::Null);

    let rejecting = judging("rejecting", Verdict::Rejected(text));
    let delivery = delivered_by(host, rejecting, "dead").await;
    assert!(kept(&delivery["attempts"][0]["error"]), "{delivery}");
    assert!(kept(&delivery["last_error"]), "{delivery}");
    assert_eq!(delivery["attempts"][0]["note"], Value::Null);
    assert_eq!(delivery["attempt_count"], 1);
}

#[tokio::test]
async fn what_an_adapter_says_is_kept_on_sqlite() {
    what_an_adapter_says_is_kept(&TestHost::start().await).await;
}

#[tokio::test]
async fn what_an_adapter_says_is_kept_on_postgres() {
    what_an_adapter_says_is_kept(&TestHost::on(&fresh_database().await).await).await;
}

#[tokio::test]
async fn what_a_language_says_is_bounded_where_a_rule_is_saved_and_where_it_fails() {
    let host = TestHost::on(&fresh_database().await).await;
    host.api.install(Language::new().pack()).await;
    let endpoint = host.api.endpoint("https://example.com/", json!({})).await;
    let draft = |source: &str| {
        json!({"name": source, "event_type": "workflow.failed",
            "condition": {"language": "guest", "source": source},
            "webhook_endpoint_id": endpoint["id"]})
    };
    let refused = host.api.post("/v1/alert-rules", draft("M")).await;
    assert!(refused.body["errors"].as_array().unwrap().len() <= 33, "twenty thousand were said");
    refused.problem(400);
    // It gives no reason at all, and nothing is saved.
    let refused = host.api.post("/v1/alert-rules", draft("N")).await;
    assert!(refused.text().contains("a fault of the plugin"), "{}", refused.body);
    refused.problem(400);
    let rules = host.api.get("/v1/alert-rules").await.expect(200);
    assert_eq!(rules["data"], json!([]));

    let rule = host.api.post("/v1/alert-rules", draft("o")).await.expect(201);
    host.api.event(failed("evt-1")).await;
    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    eventually("half a megabyte of zeroes is shown in short", async || {
        let rule = host.api.get(&path).await.expect(200);
        let error = rule["last_condition_error"].as_str()?.to_owned();
        assert!(error.len() <= 1024 && error.starts_with('\u{fffd}'), "{}", error.len());
        Some(())
    })
    .await;
    let events = host.api.get("/v1/events").await.expect(200);
    assert_eq!(events["data"][0]["rules"][0]["reason"], "condition_error");
    assert!(events.to_string().len() < 8_000);
}
