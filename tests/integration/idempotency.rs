//! `Idempotency-Key` when the database is lost at the worst moment: what was asked is
//! done once, and who asked finds out.

use alerts_test_support::postgres::{Proxy, fresh_database};
use serde_json::{Value, json};

use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

async fn webhooks(host: &TestHost) -> Vec<Value> {
    let listed = host.api.get("/v1/webhooks").await.expect(200);
    listed["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_change_whose_commit_was_not_answered_is_told_as_unknown_and_not_made_twice() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let (host, receiver) = (TestHost::on(way.url()).await, Receiver::start().await);
    let body = json!({"name": "On call", "target_url": receiver.url("/hook")});
    let once = host.api.with("idempotency-key", Some("k-1"));
    way.lose_commit_of("INSERT INTO webhook_endpoints");
    let unknown = once.post("/v1/webhooks", body.clone()).await;
    assert_eq!(unknown.status, 503, "{}", unknown.text());
    let of_kind = unknown.body["type"].as_str().unwrap().to_owned();
    assert!(of_kind.ends_with("/outcome-unknown"), "{of_kind}");
    assert!(unknown.headers.contains_key("retry-after"));
    let stored = webhooks(&host).await;
    assert_eq!(stored.len(), 1, "the database has done it");

    let found = once.post("/v1/webhooks", body.clone()).await;
    assert_eq!(found.headers["idempotency-replayed"], "true");
    let found = found.expect(201);
    assert_eq!(found["id"], stored[0]["id"]);
    // The secret that is shown this once is the one that signs.
    let hook = format!("/v1/webhooks/{}/test", found["id"].as_str().unwrap());
    host.api.post(&hook, json!({})).await.expect(200);
    let received = receiver.wait_for(1).await;
    let library = standardwebhooks::Webhook::new(found["secret"].as_str().unwrap()).unwrap();
    library.verify(&received[0].body, &received[0].headers).unwrap();
    assert_eq!(webhooks(&host).await, stored);
    // Another key is another request.
    let other = host.api.with("idempotency-key", Some("k-2"));
    other.post("/v1/webhooks", body).await.expect(201);
    assert_eq!(webhooks(&host).await.len(), 2);
}

#[tokio::test]
async fn a_key_that_is_shown_once_and_was_lost_is_named_and_not_made_again() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let host = TestHost::on(way.url()).await;
    let once = host.api.with("idempotency-key", Some("k-1"));
    let body = json!({"name": "CI", "role": "editor"});
    way.lose_commit_of("INSERT INTO api_keys");
    assert_eq!(once.post("/v1/api-keys", body.clone()).await.status, 503);
    let found = once.post("/v1/api-keys", body).await;
    let listed = host.api.get("/v1/api-keys").await.expect(200);
    let [made] = listed["data"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert!(found.text().contains(made["id"].as_str().unwrap()), "{}", found.text());
    found.problem(409);
}

#[tokio::test]
async fn a_change_that_did_not_reach_the_database_is_made_when_it_is_repeated() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let (host, receiver) = (TestHost::on(way.url()).await, Receiver::start().await);
    let body = json!({"name": "On call", "target_url": receiver.url("/hook")});
    let once = host.api.with("idempotency-key", Some("k-1"));
    way.drop_commit_of("INSERT INTO webhook_endpoints");
    let unknown = once.post("/v1/webhooks", body.clone()).await;
    assert_eq!(unknown.status, 503, "{}", unknown.text());
    assert!(webhooks(&host).await.is_empty());
    let made = once.post("/v1/webhooks", body.clone()).await.expect(201);
    assert_eq!(once.post("/v1/webhooks", body).await.expect(201), made);
    assert_eq!(webhooks(&host).await.len(), 1);
}
