//! A draft rule on stored events: what it would have sent, and when.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::events::failed;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const MINUTE: Duration = Duration::from_secs(60);

/// A failure of a graph, at the host's time.
fn failure(host: &TestHost, id: &str, graph: &str) -> Value {
    let mut event = failed(id);
    event["time"] = host.now().to_string().into();
    event["data"]["graph_name"] = graph.into();
    event["data"]["duration_ms"] = 1000.into();
    event
}

async fn draft(host: &TestHost, more: Value) -> Value {
    let endpoint = host.api.endpoint("https://example.com/", json!({})).await;
    let mut rule = json!({"name": "draft", "event_type": "workflow.failed",
        "webhook_endpoint_id": endpoint["id"]});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

#[tokio::test]
async fn a_condition_is_tried_on_the_past() {
    let host = TestHost::start().await;
    let from = host.now().to_string();
    for n in 0..10 {
        let mut event = failure(&host, &n.to_string(), "etl");
        event["data"]["errored_count"] = n.into();
        host.api.event(event).await;
        host.later(MINUTE);
    }
    let to = host.now().to_string();
    host.api.event(failure(&host, "later", "etl")).await;
    let rule = draft(&host, json!({"condition": "event.data.errored_count > 6"})).await;
    let body = json!({"rule": rule, "from": from, "to": to});
    let report = host.api.post("/v1/alert-rules/backtest", body).await.expect(200);
    assert_eq!((&report["total"], &report["truncated"]), (&json!(3), &json!(false)));
    assert_eq!(report["scanned"], 10);
    let first = report["matches"][0]["event_id"].as_str().unwrap();
    let event = host.api.get(&format!("/v1/events/{first}")).await.expect(200);
    assert_eq!(event["event"]["id"], "7");
    assert_eq!(report["matches"][0]["at"], event["event"]["time"]);
    assert!(host.api.deliveries().await.is_empty(), "nothing is sent");
    assert_eq!(host.api.get("/v1/alert-rules").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn thresholds_and_durations_are_tried_with_the_time_of_then() {
    let host = TestHost::start().await;
    let from = host.now().to_string();
    for n in 0..5 {
        host.api.event(failure(&host, &format!("a{n}"), "etl")).await;
        host.api.event(failure(&host, &format!("b{n}"), &format!("graph-{n}"))).await;
    }
    for (run, ends_after) in [("short", 5), ("long", 30)] {
        let mut started = failure(&host, &format!("{run} started"), "etl");
        started["type"] = "workflow.started".into();
        started["data"]["run_id"] = run.into();
        host.api.event(started).await;
        host.later(ends_after * MINUTE);
        let mut ended = failure(&host, &format!("{run} ended"), "etl");
        ended["type"] = "workflow.succeeded".into();
        ended["data"]["run_id"] = run.into();
        host.api.event(ended).await;
    }
    let run = async |rule: Value| {
        let body = json!({"rule": rule, "from": from});
        host.later(Duration::from_secs(1));
        host.api.post("/v1/alert-rules/backtest", body).await.expect(200)
    };
    let trigger = json!({"type": "threshold", "window_ms": 60_000, "count": 3,
        "group_by": ["graph_name"]});
    let report = run(draft(&host, json!({"trigger": trigger})).await).await;
    assert_eq!(report["total"], 1, "{report}");
    assert_eq!(report["matches"][0]["group"], json!({"graph_name": "etl"}));

    let trigger = json!({"type": "duration", "threshold_ms": 600_000});
    let slow = json!({"trigger": trigger, "event_type": "workflow.duration_exceeded"});
    let report = run(draft(&host, slow).await).await;
    assert_eq!(report["total"], 1, "{report}");
    let told_by = report["matches"][0]["event_id"].as_str().unwrap();
    let event = host.api.get(&format!("/v1/events/{told_by}")).await.expect(200);
    assert_eq!(event["event"]["id"], "long started");
}

/// Numbers that look like chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// Runs that start, end and fail, told in disorder, late, twice, and by a clock that
/// is ahead.
async fn tell_of_much(host: &TestHost, chance: &mut Chance) {
    let mut told: Vec<Value> = Vec::new();
    for number in 0..50 {
        host.later(Duration::from_millis(1 + chance.below(90_000)));
        host.settled().await;
        if chance.percent(15) && !told.is_empty() {
            let again = chance.below(told.len() as u64) as usize;
            assert!(host.api.event(told[again].clone()).await, "a repetition");
            continue;
        }
        let graph = ["etl", "report"][chance.below(2) as usize];
        let mut event = failure(host, &number.to_string(), graph);
        let kinds = ["workflow.started", "workflow.succeeded", "workflow.failed"];
        event["type"] = kinds[chance.below(3) as usize].into();
        event["data"]["run_id"] = format!("r{}", chance.below(5)).into();
        event["data"]["duration_ms"] = (chance.below(20) * 60_000).into();
        let apart = Duration::from_secs(chance.below(300));
        let time = match chance.below(10) {
            0..3 => host.now() - apart,
            3 => host.now() + 10 * apart,
            _ => host.now(),
        };
        event["time"] = time.to_string().into();
        host.api.event(event.clone()).await;
        told.push(event);
    }
    host.later(5 * MINUTE);
    host.settled().await;
}

#[tokio::test]
async fn a_backtest_finds_what_the_rule_has_sent() {
    let drafts = [
        json!({"event_type": "workflow.*"}),
        json!({"trigger": {"type": "threshold", "window_ms": 300_000, "count": 2,
            "group_by": ["graph_name"]}}),
        json!({"event_type": "workflow.*", "trigger": {"type": "threshold", "window_ms": 240_000,
            "count": 3, "cooldown_ms": 60_000}}),
        json!({"trigger": {"type": "threshold", "window_ms": 900_000, "cooldown_ms": 120_000,
            "ratio": {"above": 0.4, "last": 6, "min_total": 3}}}),
        json!({"trigger": {"type": "duration", "threshold_ms": 300_000},
            "event_type": "workflow.duration_exceeded"}),
        json!({"trigger": {"type": "duration", "threshold_ms": 120_000}, "event_type": "workflow.*",
            "condition": "event.data.graph_name == 'etl'"}),
    ];
    let mut sent_in_all = vec![0; drafts.len()];
    for seed in 1..=4 {
        let (host, receiver) = (TestHost::start().await, Receiver::start().await);
        let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
        let mut rules = Vec::new();
        for draft in &drafts {
            rules.push(host.api.rule(&endpoint, draft.clone()).await);
        }
        let from = host.now().to_string();
        tell_of_much(&host, &mut Chance(seed)).await;
        for (number, rule) in rules.iter().enumerate() {
            let path =
                format!("/v1/deliveries?limit=200&alert_rule_id={}", rule["id"].as_str().unwrap());
            let sent = host.api.get(&path).await.expect(200)["data"].as_array().unwrap().clone();
            let mut body = json!({"name": "draft", "webhook_endpoint_id": endpoint["id"],
                "event_type": "workflow.failed"});
            body.as_object_mut().unwrap().extend(drafts[number].as_object().unwrap().clone());
            let body = json!({"rule": body, "from": from});
            let report = host.api.post("/v1/alert-rules/backtest", body).await.expect(200);
            let found = report["matches"].as_array().unwrap();
            let is_run = rule["trigger"]["type"] == "duration";
            let found = what_for(&host, found, is_run).await;
            let sent = what_for(&host, &sent, is_run).await;
            assert_eq!(found, sent, "seed {seed}, rule {number}");
            sent_in_all[number] += sent.len();
        }
    }
    assert!(sent_in_all.iter().all(|sent| *sent > 3), "{sent_in_all:?}: nothing was compared");
}

/// For which events, or of which runs, in some order of their own.
async fn what_for(host: &TestHost, alerts: &[Value], is_run: bool) -> Vec<String> {
    let mut all = Vec::new();
    for alert in alerts {
        let id = alert["event_id"].as_str().unwrap();
        let event = host.api.get(&format!("/v1/events/{id}")).await.expect(200)["event"].clone();
        let what = if is_run { &event["data"]["run_id"] } else { &event["id"] };
        all.push(what.as_str().unwrap().to_owned());
    }
    all.sort();
    all
}

#[tokio::test]
async fn a_long_span_tells_its_progress_line_by_line() {
    let host = TestHost::start().await;
    let from = host.now().to_string();
    for batch in 0..3 {
        let events: Vec<Value> =
            (0..200).map(|n| failure(&host, &format!("{batch}-{n}"), "etl")).collect();
        let batch = host.api.with("content-type", Some("application/cloudevents-batch+json"));
        batch.post("/v1/events", json!(events)).await.expect(202);
    }
    host.later(MINUTE);
    let body = json!({"rule": draft(&host, json!({})).await, "from": from});
    let lines = host.api.with("accept", Some("application/x-ndjson"));
    let answer = lines.post("/v1/alert-rules/backtest", body).await.expect(200);
    let lines: Vec<Value> =
        answer.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let progress: Vec<_> = lines.iter().filter_map(|l| l["progress"]["scanned"].as_u64()).collect();
    assert!(progress.len() > 1 && progress.is_sorted(), "{progress:?}");
    assert_eq!(lines.last().unwrap()["result"]["total"], 600);
}

#[tokio::test]
async fn what_cannot_be_tried_is_told_by_its_field_and_an_empty_span_has_no_matches() {
    let host = TestHost::start().await;
    let ask = async |rule: Value, from: &str, to: &str| {
        let body = json!({"rule": rule, "from": from, "to": to});
        host.api.post("/v1/alert-rules/backtest", body).await
    };
    let rule = draft(&host, json!({})).await;
    let (early, late) = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");
    let empty = ask(rule.clone(), early, late).await.expect(200);
    assert_eq!((&empty["total"], &empty["matches"]), (&json!(0), &json!([])));
    assert_eq!(ask(rule, late, early).await.problem(400), ["/from"]);
    let broken = draft(&host, json!({"condition": "event.data.x >"})).await;
    assert_eq!(ask(broken, early, late).await.problem(400), ["/rule/condition"]);
    let trigger = json!({"type": "threshold", "window_ms": 0, "count": 1});
    let absurd = draft(&host, json!({"trigger": trigger})).await;
    assert_eq!(ask(absurd, early, late).await.problem(400), ["/rule/trigger/window_ms"]);
}

#[tokio::test]
async fn events_on_which_the_condition_fails_are_counted_and_told_and_match_nothing() {
    let host = TestHost::start().await;
    let from = host.now().to_string();
    for (id, count) in [("1", json!(7)), ("2", json!("many")), ("3", json!(8))] {
        let mut event = failure(&host, id, "etl");
        event["data"]["errored_count"] = count;
        host.api.event(event).await;
        host.later(MINUTE);
    }
    let rule = draft(&host, json!({"condition": "event.data.errored_count > 7"})).await;
    let body = json!({"rule": rule, "from": from});
    let report = host.api.post("/v1/alert-rules/backtest", body).await.expect(200);
    assert_eq!((&report["scanned"], &report["total"]), (&json!(3), &json!(1)), "{report}");
    assert_eq!(report["condition_errors"], 1);
    assert!(!report["last_condition_error"].as_str().unwrap().is_empty());
}
