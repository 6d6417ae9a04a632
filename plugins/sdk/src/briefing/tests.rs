use serde_json::json;

use super::*;

fn briefing(alert: &Value) -> Briefing {
    Briefing::of(&serde_json::from_value(alert.clone()).unwrap())
}

fn failed() -> Value {
    json!({
        "id": "dlv_1", "type": "workflow.failed", "occurred_at": "2026-01-31T02:12:34.5Z",
        "namespace": "prod", "rule": {"id": "rule_1", "name": "Failing again and again"},
        "trigger": {"type": "event"},
        "workflow": {
            "graph_name": "etl", "run_id": "7b2f", "status": "FAILED", "node_name": "load",
            "identifier": "load-eu", "created_at": "2026-01-31T02:00:00Z",
            "finished_at": "2026-01-31T02:12:34Z", "duration_ms": 754_000, "success_count": 41,
            "pending_count": 0, "errored_count": 3, "retried_count": 2, "total_count": 46,
            "failed_state_id": "65f0"
        },
        "event": {"id": "e", "source": "/v0/namespace/prod", "subject": "graph/etl/run/7b2f"}
    })
}

fn counted(trigger: Value) -> Value {
    let mut alert = failed();
    alert["trigger"] = trigger;
    alert
}

/// News, headline and story.
fn told(alert: &Value) -> (News, String, String) {
    let briefing = briefing(alert);
    (briefing.news, briefing.headline.clone(), briefing.plain_story())
}

fn facts(alert: &Value) -> Vec<(String, String)> {
    let facts = briefing(alert).facts.into_iter();
    facts.map(|fact| (fact.label, fact.value.plain())).collect()
}

#[test]
fn a_failed_run_says_what_failed_where_and_after_how_long() {
    let (news, headline, story) = told(&failed());
    assert_eq!((news, headline.as_str()), (News::Bad, "Workflow failed: etl"));
    assert_eq!(story, "Node load failed after 12 min 34 s; 3 of 46 states errored.");
    let rows = [
        ("Namespace", "prod"),
        ("Graph", "etl"),
        ("Node", "load (load-eu)"),
        ("Run", "7b2f"),
        ("Started", "2026-01-31 02:00:00 UTC"),
        ("Finished", "2026-01-31 02:12:34 UTC"),
        ("Duration", "12 min 34 s"),
        ("States", "3 errored, 2 retried, 41 succeeded, 46 in all"),
        ("Failed state", "65f0"),
        ("Status", "FAILED"),
    ];
    assert_eq!(facts(&failed()), rows.map(|(label, value)| (label.into(), value.into())));
}

#[test]
fn what_is_not_known_is_not_told() {
    let mut alert = failed();
    alert["workflow"] = json!({"errored_count": 1});
    let (_, headline, story) = told(&alert);
    assert_eq!(headline, "Workflow failed: etl", "the subject names it");
    assert_eq!(story, "The run failed; 1 state errored.");
    alert["workflow"] = json!({"node_name": " ", "duration_ms": "long", "errored_count": "many"});
    alert["event"]["subject"] = Value::Null;
    let (_, headline, story) = told(&alert);
    assert_eq!(
        (headline.as_str(), story.as_str()),
        ("Workflow failed", "The run failed after long.")
    );
    let labels: Vec<_> = facts(&alert).into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["Namespace", "Source", "Happened", "Duration"]);
}

#[test]
fn a_run_that_takes_too_long_says_how_long_it_may() {
    let mut alert =
        counted(json!({"type": "duration", "threshold_ms": 900_000, "elapsed_ms": 910_000}));
    alert["type"] = json!("workflow.duration_exceeded");
    alert["workflow"]["finished_at"] = Value::Null;
    let (news, headline, story) = told(&alert);
    assert_eq!((news, headline.as_str()), (News::Late, "Workflow is taking too long: etl"));
    assert_eq!(
        story,
        "The run has been going for 15 min 10 s and has not ended; 15 min are allowed. It started \
         at 2026-01-31 02:00:00 UTC."
    );
    alert["workflow"]["finished_at"] = json!("2026-01-31T02:15:10Z");
    let (_, headline, story) = told(&alert);
    assert_eq!(headline, "Workflow took too long: etl");
    assert!(story.starts_with("The run took 15 min 10 s; 15 min are allowed."), "{story}");
}

#[test]
fn too_much_says_how_often_and_since_when() {
    let alert = counted(json!({
        "type": "threshold", "window_ms": 600_000, "count": 4, "limit": 3,
        "group": {"graph_name": "etl"}, "group_key": "0f", "since": "2026-01-31T02:04:00Z"
    }));
    let (news, headline, story) = told(&alert);
    assert_eq!((news, headline.as_str()), (News::Bad, "Workflow failed 4 times in 10 min: etl"));
    assert_eq!(
        story,
        "Up to 3 are allowed. The first was at 2026-01-31 02:04:00 UTC, the latest is run 7b2f at \
         node load."
    );
    let labels: Vec<_> = facts(&alert).into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels[..4], ["Namespace", "Graph", "Node", "Run"], "the group is not told twice");
}

#[test]
fn a_share_is_told_in_percent_and_a_count_at_its_bound_as_such() {
    let share = counted(json!({"type": "threshold", "window_ms": 3_600_000, "count": 12,
        "total": 50, "ratio": 0.24, "above": 0.2}));
    let (_, headline, story) = told(&share);
    assert_eq!(headline, "Workflow failed 12 of 50 times in 1 h");
    assert!(story.starts_with("That is 24%; up to 20% are allowed."), "{story}");
    let many = counted(json!({"type": "threshold", "window_ms": 60_000, "count": 20, "limit": 3,
        "at_least": true}));
    assert_eq!(told(&many).1, "Workflow failed at least 20 times in 1 min");
    let bare = counted(json!({"type": "threshold"}));
    assert_eq!(told(&bare).1, "Workflow failed too often");
}

#[test]
fn a_group_is_named_by_its_values() {
    let named =
        |group: Value| told(&counted(json!({"type": "threshold", "count": 2, "group": group}))).1;
    assert_eq!(named(json!({"host": "db-7", "region": "eu"})), "Workflow failed 2 times: db-7, eu");
    assert_eq!(named(json!({"host": null})), "Workflow failed 2 times: no host");
    assert_eq!(named(json!({"other": true})), "Workflow failed 2 times: all other groups");
    assert_eq!(named(json!({"n": 7})), "Workflow failed 2 times: 7");
}

#[test]
fn the_end_of_a_breach_is_told_with_what_it_was_the_end_of() {
    let mut alert = counted(json!({
        "type": "threshold", "state": "recovered", "event_type": "workflow.failed",
        "window_ms": 600_000, "count": 2, "limit": 3, "group": {"graph_name": "etl"},
        "since": "2026-01-31T01:49:34Z"
    }));
    alert["type"] = json!("exosphere.alerts.recovered");
    alert["workflow"] = json!({});
    let (news, headline, story) = told(&alert);
    assert_eq!((news, headline.as_str()), (News::Good, "Recovered: etl"));
    assert_eq!(
        story,
        "Workflow failed 2 times in 10 min; up to 3 are allowed. It was alerted at 2026-01-31 \
         01:49:34 UTC, 23 min before."
    );
    let labels: Vec<_> = facts(&alert).into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["Namespace", "Graph", "Alerted", "Recovered"]);
    alert["trigger"]["group"] = json!({});
    assert_eq!(told(&alert).1, "Recovered: Failing again and again");
}

#[test]
fn good_news_and_beginnings_press_nobody() {
    let of_type = |event_type: &str| {
        let mut alert = failed();
        alert["type"] = json!(event_type);
        told(&alert)
    };
    let (news, headline, story) = of_type("workflow.succeeded");
    assert_eq!((news, headline.as_str()), (News::Good, "Workflow succeeded: etl"));
    assert_eq!(story, "The run succeeded after 12 min 34 s.");
    let (news, _, story) = of_type("workflow.started");
    assert_eq!(story, "The run started at 2026-01-31 02:12:34 UTC.");
    assert!(!news.is_pressing() && !News::Good.is_pressing());
    let (news, headline, _) = of_type("disk.full");
    assert_eq!((news, headline.as_str()), (News::Other, "disk.full: etl"));
    assert!(news.is_pressing(), "nobody but its author knows how bad it is");
    let (news, headline, _) = of_type("exosphere.alerts.test");
    assert_eq!((news, headline.as_str()), (News::Test, "Test alert"));
}

#[test]
fn a_long_name_does_not_fill_a_headline() {
    let mut alert = failed();
    alert["workflow"]["graph_name"] = json!("x\n".repeat(500));
    let headline = briefing(&alert).headline;
    assert!(headline.chars().count() < 150 && !headline.contains('\n'), "{headline}");
}
