//! Rules that see time and counts: a run that takes too long, too much of
//! something within a window.

use std::time::Duration;

use alerts_domain::Timestamp;
use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const MINUTE: Duration = Duration::from_secs(60);

/// An event about a run, at the host's time.
fn run_event(host: &TestHost, event_type: &str, run: &str, epoch: u32) -> Value {
    let now = host.now();
    let mut event = failed(&format!("{run}/{event_type}/{epoch}"));
    event["type"] = event_type.into();
    event["subject"] = format!("graph/nightly-etl/run/{run}").into();
    event["time"] = now.to_string().into();
    event["data"]["run_id"] = run.into();
    let data = event["data"].as_object_mut().unwrap();
    data.remove("duration_ms");
    data.remove("finished_at");
    event
}

/// A failure of a graph, at the host's time.
fn failure(host: &TestHost, id: &str, graph: &str) -> Value {
    let mut event = failed(id);
    event["time"] = host.now().to_string().into();
    event["data"]["graph_name"] = graph.into();
    event
}

fn slow_after(minutes: u64) -> Value {
    json!({
        "name": "Too slow",
        "event_type": "workflow.duration_exceeded",
        "trigger": {"type": "duration", "threshold_ms": minutes * 60_000},
    })
}

/// What became of the only rule for the newest event of this type.
async fn newest_outcome(host: &TestHost, event_type: &str) -> Value {
    let listed = host.api.get(&format!("/v1/events?type={event_type}&limit=1")).await.expect(200);
    listed["data"][0]["rules"][0].clone()
}

#[tokio::test]
async fn a_run_that_never_ends_alerts_once_while_it_is_still_going() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let rule = host.api.rule(&endpoint, slow_after(15)).await;
    let started_at = host.now();
    host.api.event(run_event(&host, "workflow.started", "r1", 1)).await;
    let watching = newest_outcome(&host, "workflow.started").await;
    assert_eq!((&watching["fired"], &watching["reason"]), (&json!(false), &json!("watching")));

    host.later(14 * MINUTE);
    host.settled().await;
    assert!(host.api.deliveries().await.is_empty(), "not early");
    host.later(MINUTE);
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(alert["type"], "workflow.duration_exceeded");
    assert_eq!(alert["workflow"]["run_id"], "r1");
    assert_eq!(alert["rule"]["id"], rule["id"]);
    assert_eq!(
        alert["trigger"],
        json!({"type": "duration", "threshold_ms": 900_000, "elapsed_ms": 900_000})
    );
    let metrics = host.api.get("/metrics").await.text().replace("\\\"", "\"");
    assert!(metrics.contains("alerts_rule_outcomes_total{reason=\"fired\"} 1"), "{metrics}");
    let occurred: Timestamp = alert["occurred_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(occurred.duration_since(started_at).as_secs(), 900);

    // It ends at last; and another runs just long enough.
    host.later(MINUTE);
    host.api.event(run_event(&host, "workflow.failed", "r1", 1)).await;
    let end = newest_outcome(&host, "workflow.failed").await;
    assert_eq!(end["reason"], "duplicate", "{end}");
    host.api.event(run_event(&host, "workflow.started", "r2", 1)).await;
    host.later(15 * MINUTE);
    receiver.wait_for(2).await;
    assert_eq!(host.api.deliveries().await.len(), 2);
}

#[tokio::test]
async fn a_run_that_ends_first_never_alerts_and_one_opened_again_is_watched_anew() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, slow_after(15)).await;
    host.api.event(run_event(&host, "workflow.started", "r1", 1)).await;
    // Told in the wrong order, and twice.
    let started = run_event(&host, "workflow.started", "r2", 1);
    host.later(MINUTE);
    host.api.event(run_event(&host, "workflow.succeeded", "r2", 1)).await;
    host.api.event(started.clone()).await;
    assert!(host.api.event(started).await, "a repetition");
    host.api.event(run_event(&host, "workflow.succeeded", "r1", 1)).await;
    assert_eq!(newest_outcome(&host, "workflow.succeeded").await["reason"], "ended_in_time");

    host.later(60 * MINUTE);
    host.settled().await;
    assert!(host.api.deliveries().await.is_empty());

    host.api.event(run_event(&host, "workflow.started", "r1", 2)).await;
    host.later(15 * MINUTE);
    assert_eq!(receiver.wait_for(1).await[0].json()["workflow"]["run_id"], "r1");
}

#[tokio::test]
async fn a_time_that_passed_while_the_host_was_down_is_alerted_at_its_start() {
    let (mut host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, slow_after(15)).await;
    host.api.event(run_event(&host, "workflow.started", "r1", 1)).await;
    host.restart_later(20 * MINUTE).await;
    assert_eq!(receiver.wait_for(1).await[0].json()["trigger"]["elapsed_ms"], 1_200_000);
}

#[tokio::test]
async fn an_end_over_the_threshold_without_a_known_start_alerts_once() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, slow_after(15)).await;
    for (run, took_ms) in [("slow", 900_001), ("fast", 900_000)] {
        let mut end = run_event(&host, "workflow.succeeded", run, 1);
        end["data"]["duration_ms"] = took_ms.into();
        host.api.event(end).await;
    }
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(
        (&alert["workflow"]["run_id"], &alert["trigger"]["elapsed_ms"]),
        (&json!("slow"), &json!(900_001))
    );
    assert_eq!(host.api.deliveries().await.len(), 1);
}

#[tokio::test]
async fn the_end_of_a_run_says_why_its_rule_did_not_fire() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint("https://example.com/hook", json!({})).await;
    let mut rule = slow_after(15);
    rule["condition"] = "event.type == 'workflow.failed'".into();
    let rule = host.api.rule(&endpoint, rule).await;
    host.api.event(run_event(&host, "workflow.started", "r1", 1)).await;
    host.later(60 * MINUTE);
    host.api.event(run_event(&host, "workflow.failed", "r1", 1)).await;
    let told = newest_outcome(&host, "workflow.failed").await;
    assert_eq!(told["reason"], "condition_false", "{told}");
    assert!(told["detail"].as_str().unwrap().starts_with("when the run started"), "{told}");

    // Its start, told after an end that alerted.
    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    host.api.patch(&path, json!({"condition": null})).await.expect(200);
    let started = run_event(&host, "workflow.started", "r2", 1);
    let mut ended = run_event(&host, "workflow.failed", "r2", 1);
    ended["data"]["duration_ms"] = 3_600_000.into();
    host.api.event(ended).await;
    assert_eq!(newest_outcome(&host, "workflow.failed").await["reason"], "fired");
    host.later(MINUTE);
    host.api.event(started).await;
    let told = newest_outcome(&host, "workflow.started").await;
    assert_eq!(told["reason"], "duplicate", "{told}");
}

#[tokio::test]
async fn a_rule_changed_while_runs_are_going_holds_for_them() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let rule = host.api.rule(&endpoint, slow_after(60)).await;
    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    for run in ["r1", "r2"] {
        host.api.event(run_event(&host, "workflow.started", run, 1)).await;
    }
    host.later(MINUTE);
    // Shorter, and only for one of the runs.
    let change = json!({
        "trigger": {"type": "duration", "threshold_ms": 300_000},
        "condition": "event.data.run_id == 'r2'",
    });
    host.api.patch(&path, change).await.expect(200);
    host.later(4 * MINUTE);
    assert_eq!(receiver.wait_for(1).await[0].json()["workflow"]["run_id"], "r2");

    // Off while a run ends: once on again, it knows.
    host.api.event(run_event(&host, "workflow.started", "r2", 2)).await;
    host.api.patch(&path, json!({"is_active": false})).await.expect(200);
    host.later(MINUTE);
    host.api.event(run_event(&host, "workflow.succeeded", "r2", 2)).await;
    host.api.patch(&path, json!({"is_active": true})).await.expect(200);
    host.later(60 * MINUTE);
    host.settled().await;
    assert_eq!(host.api.deliveries().await.len(), 1);
}

#[tokio::test]
async fn more_failures_of_one_graph_than_allowed_alert_once_and_again_after_recovery() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let trigger = json!({"type": "threshold", "window_ms": 600_000, "count": 3,
        "group_by": ["graph_name"]});
    host.api.rule(&endpoint, json!({"trigger": trigger})).await;
    for n in 0..3 {
        host.api.event(failure(&host, &format!("a{n}"), "etl")).await;
        host.api.event(failure(&host, &format!("b{n}"), "report")).await;
    }
    let counted = newest_outcome(&host, "workflow.failed").await;
    assert_eq!(counted["reason"], "below_threshold");
    assert_eq!(counted["detail"], "3 in the last 10m; fires at more than 3");
    host.api.event(failure(&host, "a3", "etl")).await;
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(alert["type"], "workflow.failed");
    assert_eq!(alert["event"]["id"], "a3");
    assert_eq!(
        alert["trigger"],
        json!({"type": "threshold", "window_ms": 600_000, "count": 4, "limit": 3,
            "group": {"graph_name": "etl"}, "group_key": alert["trigger"]["group_key"],
            "since": alert["trigger"]["since"]})
    );
    assert!(alert["trigger"]["group_key"].is_string() && alert["trigger"]["since"].is_string());
    host.api.event(failure(&host, "a4", "etl")).await;
    assert_eq!(newest_outcome(&host, "workflow.failed").await["reason"], "already_alerted");

    host.later(11 * MINUTE);
    for n in 5..9 {
        host.api.event(failure(&host, &format!("a{n}"), "etl")).await;
    }
    let again = receiver.wait_for(2).await[1].json();
    assert_eq!(again["event"]["id"], "a8");
    assert_eq!(host.api.deliveries().await.len(), 2);
}

#[tokio::test]
async fn a_failure_ratio_over_the_last_runs_alerts_once() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let ratio = json!({"above": 0.2, "last": 50, "min_total": 10});
    let trigger = json!({"type": "threshold", "window_ms": 3_600_000, "ratio": ratio});
    let rule = host.api.rule(&endpoint, json!({"trigger": trigger})).await;
    assert_eq!(rule["trigger"]["ratio"]["of"], json!(["workflow.succeeded", "workflow.failed"]));
    for n in 0..12 {
        // Every fourth fails: at the twelfth, three of twelve.
        let mut event = failure(&host, &format!("{n}"), "etl");
        if n % 4 != 3 {
            event["type"] = "workflow.succeeded".into();
        }
        host.api.event(event).await;
    }
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!((&alert["trigger"]["count"], &alert["trigger"]["total"]), (&json!(3), &json!(12)));
    assert_eq!(host.api.deliveries().await.len(), 1);
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_not_counted_and_a_missing_group_key_is() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let trigger = json!({"type": "threshold", "window_ms": 600_000, "count": 1,
        "group_by": ["no_such_field"]});
    let condition = "event.data.graph_name == 'etl'";
    host.api.rule(&endpoint, json!({"trigger": trigger, "condition": condition})).await;
    for (id, graph) in [("1", "etl"), ("2", "other"), ("3", "etl")] {
        host.api.event(failure(&host, id, graph)).await;
    }
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!(alert["event"]["id"], "3");
    assert_eq!(alert["trigger"]["group"], json!({"no_such_field": null}));
}

#[tokio::test]
async fn absurd_triggers_are_refused_with_the_field() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint("https://example.com/", json!({})).await;
    let refused = async |trigger: Value| {
        let body = json!({"name": "x", "event_type": "workflow.failed",
            "webhook_endpoint_id": endpoint["id"], "trigger": trigger});
        host.api.post("/v1/alert-rules", body).await.problem(400)
    };
    let window = |more: Value| {
        let mut trigger = json!({"type": "threshold", "window_ms": 1000, "count": 1});
        trigger.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        trigger
    };
    assert_eq!(refused(window(json!({"window_ms": 0}))).await, ["/trigger/window_ms"]);
    assert_eq!(refused(window(json!({"window_ms": -5}))).await, ["/trigger/window_ms"]);
    assert_eq!(refused(window(json!({"count": 0}))).await, ["/trigger/count"]);
    assert_eq!(refused(window(json!({"count": 1e9}))).await, ["/trigger/count"]);
    assert_eq!(refused(window(json!({"cooldown_ms": 0}))).await, ["/trigger/cooldown_ms"]);
    assert_eq!(refused(window(json!({"group_by": [""]}))).await, ["/trigger/group_by/0"]);
    let slow = |threshold_ms: i64| json!({"type": "duration", "threshold_ms": threshold_ms});
    assert_eq!(
        refused(slow(0)).await,
        ["/trigger/threshold_ms", "/trigger"],
        "and it looks at no start of a run"
    );
    assert_eq!(refused(json!({"type": "duration"})).await, ["/trigger"]);
    assert_eq!(refused(json!({"type": "cron"})).await, ["/trigger"]);
    assert_eq!(refused(json!({"type": "event", "count": 3})).await, ["/trigger"]);
}

#[tokio::test]
async fn an_emitter_whose_clock_is_ahead_blinds_no_threshold_and_delays_no_duration() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let trigger = json!({"type": "threshold", "window_ms": 600_000, "count": 3});
    host.api.rule(&endpoint, json!({"trigger": trigger})).await;
    let ahead = (host.now() + 59 * MINUTE).to_string();
    let mut wrong = failure(&host, "ahead", "etl");
    wrong["time"] = ahead.clone().into();
    host.api.event(wrong).await;
    for n in 0..3 {
        host.later(MINUTE);
        host.api.event(failure(&host, &format!("{n}"), "etl")).await;
    }
    let alert = receiver.wait_for(1).await[0].json();
    assert_eq!((&alert["event"]["id"], &alert["trigger"]["count"]), (&json!("2"), &json!(4)));

    host.api.rule(&endpoint, slow_after(15)).await;
    let mut started = run_event(&host, "workflow.started", "r1", 1);
    started["time"] = (host.now() + 59 * MINUTE).to_string().into();
    host.api.event(started).await;
    host.later(15 * MINUTE);
    assert_eq!(receiver.wait_for(2).await[1].json()["trigger"]["elapsed_ms"], 900_000);
}

#[tokio::test]
async fn values_that_a_database_cannot_hold_as_keys_stop_nobody() {
    let sqlite = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}", sqlite.path().join("alerts.db").display());
    let postgres = alerts_test_support::postgres::fresh_database().await;
    for database in [sqlite, postgres] {
        let (host, receiver) = (TestHost::on(&database).await, Receiver::start().await);
        let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
        host.api.rule(&endpoint, slow_after(15)).await;
        let trigger = json!({"type": "threshold", "window_ms": 600_000, "count": 1,
            "group_by": ["graph_name"]});
        host.api.rule(&endpoint, json!({"trigger": trigger})).await;
        for run in ["a\0b".to_owned(), "r".repeat(100_000)] {
            let mut started = run_event(&host, "workflow.started", "r1", 1);
            started["id"] = format!("started {}", run.len()).into();
            started["data"]["run_id"] = run.into();
            let good = run_event(&host, "workflow.started", "good", 1);
            let batch = host.api.with("content-type", Some("application/cloudevents-batch+json"));
            batch.post("/v1/events", json!([started, good])).await.expect(202);
            let listed = host.api.get("/v1/events?type=workflow.started").await.expect(200);
            let odd = listed["data"].as_array().unwrap().iter();
            let odd = odd.max_by_key(|event| event["event"]["data"]["run_id"].to_string().len());
            assert_eq!(odd.unwrap()["rules"][0]["reason"], "no_run");
        }
        for (number, graph) in ["a\0b".to_owned(), "g".repeat(100_000)].into_iter().enumerate() {
            for n in 0..2 {
                let id = format!("{number}-{n}");
                host.api.event(failure(&host, &id, &graph)).await;
            }
            let listed = host.api.get("/v1/events?type=workflow.failed").await.expect(200);
            let told = listed["data"][0]["rules"].as_array().unwrap();
            assert!(told.iter().any(|told| told["reason"] == "fired"), "{told:?}");
        }
        receiver.wait_for(2).await;
    }
}

#[tokio::test]
async fn a_timer_fires_once_however_many_hosts_there_are() {
    let database = alerts_test_support::postgres::fresh_database().await;
    let (one, receiver) = (TestHost::on(&database).await, Receiver::start().await);
    let two = TestHost::on(&database).await;
    let endpoint = one.api.endpoint(&receiver.url("/hook"), json!({})).await;
    one.api.rule(&endpoint, slow_after(15)).await;
    for run in 0..20 {
        one.api.event(run_event(&one, "workflow.started", &format!("r{run}"), 1)).await;
    }
    one.later(16 * MINUTE);
    two.later(16 * MINUTE);
    receiver.wait_for(20).await;
    eventually("all are delivered", async || {
        let all = one.api.deliveries().await;
        all.iter().all(|delivery| delivery["status"] == "delivered").then_some(())
    })
    .await;
    assert_eq!(one.api.deliveries().await.len(), 20);
    assert_eq!(receiver.received().len(), 20);
}
