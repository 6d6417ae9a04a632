//! Which run an event is about: known by namespace, graph and id.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::AnyPool;

use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const MINUTE: Duration = Duration::from_secs(60);

/// An event about a run, at the host's time.
fn told(host: &TestHost, event_type: &str, data: Value) -> Value {
    let now = host.now().to_string();
    let id = format!("{event_type}/{data}/{now}");
    json!({"specversion": "1.0", "id": id, "source": "/s", "type": format!("workflow.{event_type}"),
        "time": now, "data": data})
}

async fn watching(minutes: u64) -> (TestHost, Receiver) {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let trigger = json!({"type": "duration", "threshold_ms": minutes * 60_000});
    let rule = json!({"event_type": "workflow.duration_exceeded", "trigger": trigger});
    host.api.rule(&endpoint, rule).await;
    (host, receiver)
}

/// What became of the only rule for the newest event.
async fn reason(host: &TestHost) -> Value {
    let listed = host.api.get("/v1/events?limit=1").await.expect(200);
    listed["data"][0]["rules"][0]["reason"].clone()
}

#[tokio::test]
async fn the_same_id_in_two_graphs_is_two_runs() {
    let (host, receiver) = watching(15).await;
    let run = |graph: &str| json!({"graph_name": graph, "run_id": "run-7"});
    host.api.event(told(&host, "started", run("a"))).await;
    host.api.event(told(&host, "started", run("b"))).await;
    host.api.event(told(&host, "succeeded", run("b"))).await;
    host.later(16 * MINUTE);
    host.settled().await;
    let alerts = receiver.wait_for(1).await;
    assert_eq!(alerts[0].json()["workflow"]["graph_name"], "a");
    assert_eq!(host.api.deliveries().await.len(), 1);
}

#[tokio::test]
async fn a_run_may_be_named_by_data_or_by_the_subject() {
    let (host, _receiver) = watching(15).await;
    let data = json!({"graph_name": "etl", "run_id": "run-7"});
    host.api.event(told(&host, "started", data)).await;
    let mut end = told(&host, "succeeded", Value::Null);
    end["subject"] = "graph/etl/run/run-7".into();
    host.api.event(end).await;
    assert_eq!(reason(&host).await, "ended_in_time");
    host.later(60 * MINUTE);
    host.settled().await;
    assert!(host.api.deliveries().await.is_empty());
}

#[tokio::test]
async fn an_id_may_be_a_number_and_arrives_in_its_digits() {
    let (host, receiver) = watching(15).await;
    host.api.event(told(&host, "started", json!({"run_id": 1090123456789012u64}))).await;
    assert_eq!(reason(&host).await, "watching");
    host.api.event(told(&host, "succeeded", json!({"run_id": 1090123456789012u64}))).await;
    assert_eq!(reason(&host).await, "ended_in_time");
    let mut long = told(&host, "started", json!({"run_id": "digits"})).to_string();
    long = long.replace(r#""run_id":"digits""#, r#""run_id":12345678901234567890123"#);
    host.api.send(reqwest::Method::POST, "/v1/events", Some(long.into())).await.expect(202);
    host.later(15 * MINUTE);
    let alert = String::from_utf8(receiver.wait_for(1).await[0].body.to_vec()).unwrap();
    assert!(alert.contains(r#""run_id":12345678901234567890123"#), "{alert}");
}

#[tokio::test]
async fn a_figure_with_a_fraction_is_a_figure() {
    let (host, receiver) = watching(15).await;
    let ended = |run: &str, ms: f64| json!({"run_id": run, "duration_ms": ms});
    host.api.event(told(&host, "failed", ended("in time", 900_000.0))).await;
    assert_eq!(reason(&host).await, "ended_in_time");
    host.api.event(told(&host, "failed", ended("too long", 1_200_000.0))).await;
    assert_eq!(reason(&host).await, "fired");
    host.api.event(told(&host, "failed", ended("just too long", 900_000.5))).await;
    assert_eq!(reason(&host).await, "fired");
    let alerts = receiver.wait_for(2).await;
    let elapsed: Vec<_> =
        alerts.iter().map(|a| a.json()["trigger"]["elapsed_ms"].clone()).collect();
    assert!(
        elapsed.contains(&json!(1_200_000)) && elapsed.contains(&json!(900_001)),
        "{elapsed:?}"
    );
}

/// Makes of the memory of each run what a release kept that knew runs by their id alone.
async fn as_an_older_release_kept_them(host: &TestHost) {
    sqlx::any::install_default_drivers();
    let pool = AnyPool::connect(&host.url).await.unwrap();
    let older = "UPDATE trigger_states SET key = json_extract(key, '$[1]')";
    let changed = sqlx::query(older).execute(&pool).await.unwrap();
    assert!(changed.rows_affected() > 0);
    pool.close().await;
}

#[tokio::test]
async fn runs_that_are_watched_while_the_host_is_upgraded_are_neither_forgotten_nor_alerted_twice()
{
    let (mut host, receiver) = watching(15).await;
    let run = |id: &str| json!({"graph_name": "etl", "run_id": id});
    for id in ["ends in time", "ends late", "never ends"] {
        host.api.event(told(&host, "started", run(id))).await;
    }
    as_an_older_release_kept_them(&host).await;
    // Of two events of one moment, told to two processes, neither is the newest.
    host.restart_later(Duration::from_secs(1)).await;

    host.api.event(told(&host, "succeeded", run("ends in time"))).await;
    assert_eq!(reason(&host).await, "ended_in_time");
    host.later(15 * MINUTE);
    host.settled().await;
    let alerts = receiver.wait_for(2).await;
    let mut late: Vec<_> = alerts.iter().map(|a| a.json()["workflow"]["run_id"].clone()).collect();
    late.sort_by_key(Value::to_string);
    assert_eq!(late, ["ends late", "never ends"]);
    host.api.event(told(&host, "failed", run("ends late"))).await;
    assert_eq!(reason(&host).await, "duplicate", "it was alerted while it ran");
    host.later(60 * MINUTE);
    host.settled().await;
    assert_eq!(host.api.deliveries().await.len(), 2);
}

#[tokio::test]
async fn after_an_upgrade_an_end_in_another_graph_does_not_end_a_watched_run() {
    let (mut host, receiver) = watching(15).await;
    let run = |graph: &str| json!({"graph_name": graph, "run_id": "run-7"});
    host.api.event(told(&host, "started", run("a"))).await;
    as_an_older_release_kept_them(&host).await;
    host.restart().await;
    host.api.event(told(&host, "succeeded", run("b"))).await;
    host.later(15 * MINUTE);
    host.settled().await;
    assert_eq!(receiver.wait_for(1).await[0].json()["workflow"]["graph_name"], "a");
}

#[tokio::test]
async fn a_run_that_is_restarted_and_gets_stuck_again_alerts_again() {
    let (host, receiver) = watching(15).await;
    let run = json!({"graph_name": "etl", "run_id": "run-7"});
    host.api.event(told(&host, "started", run.clone())).await;
    host.later(16 * MINUTE);
    host.settled().await;
    assert_eq!(receiver.wait_for(1).await.len(), 1);
    host.api.event(told(&host, "failed", run.clone())).await;
    host.later(60 * MINUTE);

    let restarted = told(&host, "restarted", run.clone());
    assert!(!host.api.event(restarted.clone()).await);
    assert_eq!(reason(&host).await, "watching");
    host.later(14 * MINUTE);
    host.settled().await;
    assert_eq!(host.api.deliveries().await.len(), 1, "not early: its clock has begun anew");
    host.later(2 * MINUTE);
    host.settled().await;
    let alert = receiver.wait_for(2).await[1].json();
    assert_eq!(alert["type"], "workflow.duration_exceeded");
    assert_eq!(alert["trigger"]["elapsed_ms"], 960_000);

    // The same restart, told once more, starts nothing; and a restart that ends in time is silent.
    assert!(host.api.event(restarted).await);
    host.api.event(told(&host, "failed", run.clone())).await;
    host.later(MINUTE);
    host.api.event(told(&host, "restarted", run.clone())).await;
    host.later(MINUTE);
    host.api.event(told(&host, "succeeded", run)).await;
    host.later(60 * MINUTE);
    host.settled().await;
    assert_eq!(host.api.deliveries().await.len(), 2);
}
