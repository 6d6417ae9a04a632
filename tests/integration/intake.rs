//! What may be posted as an event, and what is refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::events::{failed, failed_with};
use crate::support::host::TestHost;

#[tokio::test]
async fn structured_binary_and_batched_events_are_accepted() {
    let host = TestHost::start().await;
    let structured = host.api.with("content-type", Some("application/cloudevents+json"));
    let accepted = structured.post("/v1/events", failed("evt-1")).await.expect(202);
    assert_eq!((&accepted["accepted"], &accepted["duplicates"]), (&json!(1), &json!(0)));
    assert_eq!(accepted["events"][0]["event_id"], "evt-1");
    assert!(accepted["events"][0]["id"].as_str().unwrap().starts_with("evt_"));

    let binary = host
        .api
        .with("ce-specversion", Some("1.0"))
        .with("ce-id", Some("evt-2"))
        .with("ce-source", Some("/s"))
        .with("ce-type", Some("workflow.failed"))
        .with("ce-traceid", Some("abc"));
    let accepted = binary.post("/v1/events", json!({"graph_name": "g"})).await.expect(202);
    let path = format!("/v1/events/{}", accepted["events"][0]["id"].as_str().unwrap());
    let event = host.api.get(&path).await.expect(200)["event"].clone();
    assert_eq!((&event["traceid"], &event["data"]["graph_name"]), (&json!("abc"), &json!("g")));

    let batch = host.api.with("content-type", Some("application/cloudevents-batch+json"));
    let events = json!([failed("evt-3"), failed("evt-1"), failed("evt-3")]);
    let accepted = batch.post("/v1/events", events).await.expect(202);
    assert_eq!((&accepted["accepted"], &accepted["duplicates"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn a_bad_event_is_refused_by_the_name_of_what_is_wrong() {
    let host = TestHost::start().await;
    for name in ["specversion", "id", "source", "type"] {
        let mut event = failed("evt-1");
        event.as_object_mut().unwrap().remove(name);
        let problem = host.api.post("/v1/events", event).await.problem(400);
        assert_eq!(problem, [format!("/{name}")]);
    }
    let wrong = [
        ("time", json!("2026-01-31T02:12:34")),
        ("time", json!("yesterday")),
        ("specversion", json!("0.3")),
        ("id", json!("")),
        ("source", json!(7)),
        ("Graph", json!("g")),
    ];
    for (name, value) in wrong {
        let event = failed_with("evt-1", name, value.clone());
        let answer = host.api.post("/v1/events", event).await;
        assert_eq!(answer.problem(400), [format!("/{name}")], "{name} = {value}");
    }
    for text in ["", "{", "[]", "null", "\"x\"", "{\"specversion\":\"1.0\""] {
        let answer = host.api.send(Method::POST, "/v1/events", Some(text.into())).await;
        answer.problem(400);
    }
    assert!(host.api.get("/v1/events").await.expect(200)["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_event_over_the_limit_is_refused_with_413() {
    let host = TestHost::start().await;
    let event = failed_with("evt-1", "data", json!({"text": "x".repeat(300 * 1024)}));
    let answer = host.api.post("/v1/events", event).await;
    assert!(answer.text().contains("262144"), "names the limit: {}", answer.body);
    answer.problem(413);
    let large = vec![b' '; 64 << 20];
    let answer = host.api.try_send(Method::POST, "/v1/events", Some(large)).await;
    // The host may close the connection before all of it is sent.
    if let Ok(answer) = answer {
        answer.problem(413);
    }
    assert!(host.api.get("/v1/events").await.expect(200)["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn of_a_batch_with_one_bad_event_nothing_is_accepted_and_its_index_is_named() {
    let host = TestHost::start().await;
    let batch = host.api.with("content-type", Some("application/cloudevents-batch+json"));
    let events = json!([failed("evt-1"), {"specversion": "1.0", "id": "2"}, failed("evt-3")]);
    let problem = batch.post("/v1/events", events).await.problem(400);
    assert_eq!(problem, ["/1/source", "/1/type"]);
    assert!(host.api.get("/v1/events").await.expect(200)["data"].as_array().unwrap().is_empty());
    batch.post("/v1/events", json!({"not": "a list"})).await.problem(400);
}

#[tokio::test]
async fn the_event_itself_may_name_its_tenant_but_not_contradict_the_header() {
    let host = TestHost::start().await;
    let named = failed_with("evt-1", "namespace", json!("orders"));
    let no_header = host.api.with("x-exosphere-namespace", None);
    no_header.post("/v1/events", named.clone()).await.expect(202);
    let seen = host.tenant("orders").get("/v1/events").await.expect(200);
    assert_eq!(seen["data"].as_array().unwrap().len(), 1);
    host.api.post("/v1/events", named).await.problem(400);
    no_header.post("/v1/events", failed("evt-2")).await.problem(400);
}

#[tokio::test]
async fn events_are_listed_in_pages() {
    let host = TestHost::start().await;
    for n in 0..5 {
        host.api.event(failed(&format!("evt-{n}"))).await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/events?limit=2".to_owned();
    loop {
        let page = host.api.get(&path).await.expect(200);
        seen.extend(page["data"].as_array().unwrap().iter().map(|e| e["event"]["id"].clone()));
        match &page["next_cursor"] {
            Value::Null => break,
            cursor => path = format!("/v1/events?limit=2&cursor={}", cursor.as_str().unwrap()),
        }
    }
    assert_eq!(seen, ["evt-4", "evt-3", "evt-2", "evt-1", "evt-0"]);
    host.api.get("/v1/events?limit=0").await.problem(400);
    host.api.get("/v1/events?cursor=nonsense").await.problem(400);
    host.api.get("/v1/events?no_such_filter=1").await.problem(400);
}
