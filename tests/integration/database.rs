//! The whole way on Postgres, and a database that is gone.

use std::time::Duration;

use alerts_test_support::postgres::{Cluster, Proxy, fresh_database};
use reqwest::Method;
use serde_json::json;
use sqlx::Connection as _;

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

#[tokio::test]
async fn on_postgres_a_failing_workflow_makes_one_signed_post() {
    let url = fresh_database().await;
    let (host, receiver) = (TestHost::on(&url).await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({"condition": "event.data.errored_count == 3"})).await;
    host.api.event(failed("evt-1")).await;
    assert!(host.api.event(failed("evt-1")).await);
    let received = receiver.wait_for(1).await;
    let library = standardwebhooks::Webhook::new(endpoint["secret"].as_str().unwrap()).unwrap();
    library.verify(&received[0].body, &received[0].headers).unwrap();
    host.api.delivery_with("delivered").await;
}

#[tokio::test]
async fn two_hosts_on_one_database_see_each_others_rules_and_send_once() {
    let url = fresh_database().await;
    let (one, two) = (TestHost::on(&url).await, TestHost::on(&url).await);
    let receiver = Receiver::start().await;
    let endpoint = one.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let rule = one.api.rule(&endpoint, json!({})).await;
    two.api.event(failed("evt-1")).await;
    receiver.wait_for(1).await;
    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    one.api.patch(&path, json!({"name": "Renamed"})).await.expect(200);
    let mut number = 1;
    eventually("the other host follows the change", async || {
        two.clock.advance(std::time::Duration::from_secs(2));
        number += 1;
        two.api.event(failed(&format!("evt-{number}"))).await;
        let received = receiver.wait_for(number).await;
        (received[number - 1].json()["rule"]["name"] == "Renamed").then_some(())
    })
    .await;
    assert_eq!(receiver.received().len(), number);
}

#[tokio::test]
async fn without_its_database_a_host_answers_503_and_recovers_by_itself() {
    let cluster = Cluster::start().unwrap();
    let host = TestHost::on(&cluster.url()).await;
    host.api.event(failed("evt-1")).await;
    cluster.stop_server().unwrap();
    let answer = host.api.post("/v1/events", failed("evt-2")).await;
    assert!(answer.headers.contains_key("retry-after"));
    answer.problem(503);
    host.api.get("/v1/webhooks").await.problem(503);
    assert_eq!(host.api.get("/readyz").await.status, 503);
    assert_eq!(host.api.get("/healthz").await.status, 200);
    cluster.start_server().unwrap();
    eventually("events are accepted again", async || accepts(&host, "evt-2").await).await;
    let events = host.api.get("/v1/events").await.expect(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_event_whose_commit_was_not_answered_is_alerted_once_it_is_told_again() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let (host, receiver) = (TestHost::on(way.url()).await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    way.lose_commit_of("INSERT INTO events");
    host.api.post("/v1/events", failed("evt-1")).await.problem(503);
    assert!(way.has_struck());
    assert!(host.api.event(failed("evt-1")).await, "it was stored the first time");
    eventually("the alert is sent", async || {
        host.later(Duration::from_secs(1));
        (!receiver.received().is_empty()).then_some(())
    })
    .await;
    host.api.delivery_with("delivered").await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_claim_whose_commit_was_not_answered_keeps_no_delivery() {
    let way = Proxy::before(&fresh_database().await).await.unwrap();
    let (host, receiver) = (TestHost::on(way.url()).await, Receiver::start().await);
    receiver.answer("/hook", &[500, 200]);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed("evt-1")).await;
    host.api.delivery_with("scheduled").await;
    way.lose_commit_of("SET status = 'leased'");
    eventually("the alert is sent again", async || {
        host.later(Duration::from_secs(10));
        (receiver.received().len() == 2).then_some(())
    })
    .await;
    assert!(way.has_struck());
    host.api.delivery_with("delivered").await;
}

#[tokio::test]
async fn a_locked_table_is_a_503_and_so_is_a_way_that_went_silent_or_closes() {
    let url = fresh_database().await;
    let way = Proxy::before(&url).await.unwrap();
    let host = TestHost::on(way.url()).await;
    host.api.event(failed("evt-1")).await;

    let mut other = sqlx::PgConnection::connect(&url).await.unwrap();
    let mut locked = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE events").execute(&mut *locked).await.unwrap();
    host.api.post("/v1/events", failed("evt-2")).await.problem(503);
    locked.rollback().await.unwrap();
    host.api.event(failed("evt-2")).await;

    way.close_all();
    host.api.post("/v1/events", failed("evt-3")).await.problem(503);
    host.api.get("/v1/events").await.problem(503);
    way.recover();
    eventually("events are accepted again", async || accepts(&host, "evt-3").await).await;

    way.go_silent();
    host.api.post("/v1/events", failed("evt-4")).await.problem(503);
    host.api.get("/v1/events").await.problem(503);
    way.recover();
    eventually("events are accepted again", async || accepts(&host, "evt-4").await).await;
}

async fn accepts(host: &TestHost, id: &str) -> Option<()> {
    let body = Some(failed(id).to_string().into_bytes());
    let answer = host.api.send(Method::POST, "/v1/events", body).await;
    (answer.status == 202).then_some(())
}
