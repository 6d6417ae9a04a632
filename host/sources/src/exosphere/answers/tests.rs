//! Answers, made up and as they were recorded.

use serde_json::json;

use super::*;
use crate::exosphere::local_time::ClockOffset;

fn row(status: &str, [success, pending, errored, retried, total]: [u64; 5]) -> RunRow {
    let row = json!({"run_id": "r", "graph_name": "g", "status": status,
        "success_count": success, "pending_count": pending, "errored_count": errored,
        "retried_count": retried, "total_count": total, "created_at": "2026-11-27T12:00:00"});
    run(row).unwrap()
}

#[test]
fn a_status_counts_only_where_the_row_adds_up() {
    use RunStatus::{Ended, NoStates, Pending, Unknown};
    for (status, counts, expected) in [
        ("FAILED", [0, 0, 0, 0, 0], NoStates),
        ("PENDING", [1, 1, 1, 0, 3], Pending),
        ("FAILED", [5, 0, 1, 2, 8], Ended(End::Failed)),
        ("SUCCESS", [2, 0, 0, 1, 3], Ended(End::Succeeded)),
        // A state in a bucket that is not known: upstream's TIMEDOUT reads as success.
        ("SUCCESS", [1, 0, 0, 0, 2], Unknown),
        ("TIMEDOUT", [1, 0, 0, 0, 1], Unknown),
        ("SUCCESS", [1, 0, 1, 0, 2], Unknown),
        ("PENDING", [1, 0, 0, 0, 1], Unknown),
        ("PENDING", [0, 0, 0, 0, 0], Unknown),
        ("SUCCESS", [u64::MAX, 0, 0, 1, 0], Unknown),
    ] {
        assert_eq!(row(status, counts).status(), expected, "{status} {counts:?}");
    }
}

#[test]
fn a_row_that_cannot_be_read_hides_no_other() {
    let good = json!({"run_id": "r1", "graph_name": "g", "status": "PENDING", "new": {},
        "success_count": 0, "pending_count": 1, "errored_count": 0, "retried_count": 0,
        "total_count": 1, "created_at": "2026-11-20T01:06:39"});
    let mut long = good.clone();
    long["run_id"] = "x".repeat(129).into();
    let mut negative = good.clone();
    negative["total_count"] = (-1).into();
    let page = json!({"total": 9, "runs": [long, negative, {}, good], "namespace": "a"});
    let page = RunsPage::read(page.to_string().as_bytes()).unwrap();
    assert_eq!((page.total, page.served, page.runs.len()), (9, 4, 1));
    assert_eq!((page.runs[0].0, page.runs[0].1.run_id.as_str()), (3, "r1"));
    assert!(page.unreadable.unwrap().contains("its id is not one"));
    for wrong in ["", "[]", "{}", r#"{"total": -1, "runs": []}"#, "<html>"] {
        let error = RunsPage::read(wrong.as_bytes()).unwrap_err();
        assert!(error.contains("not a page of runs"), "{error}");
    }
}

#[test]
fn leaves_are_what_nothing_follows_and_an_old_error_is_no_failure() {
    let node = |id: &str, status: &str| json!({"id": id, "node_name": "N", "identifier": id, "status": status, "error": "old"});
    let graph = json!({"nodes": [node("a", "SUCCESS"), node("c", "ERRORED"),
        node("b", "NEXT_CREATED_ERROR"), node("d", "RETRY_CREATED"), node("e", "SUCCESS")],
        "edges": [{"source": "a", "target": "b"}, {"source": "a", "target": "c"}]});
    let graph = RunGraph::read(graph.to_string().as_bytes()).unwrap();
    assert_eq!(graph.failed().map(|node| node.id.as_str()), Some("b"));
    assert_eq!(graph.leaves().map(|node| &*node.id).collect::<Vec<_>>(), ["c", "b", "e"]);
    assert_eq!(graph.oldest_and_newest(), Some(("a", "e")));
    assert_eq!(RunGraph::default().oldest_and_newest(), None);
}

#[test]
fn namespaces_that_no_tenant_can_have_are_left_out() {
    let listed = br#"{"namespaces": ["beta", "*", " a", "alpha"], "count": 4}"#;
    let names: Vec<String> = namespaces(listed).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["beta", "alpha"]);
}

/// The body of a recorded answer.
macro_rules! recorded {
    ($name:literal) => {{
        let answer = include_str!(concat!("../fixtures/", $name, ".json"));
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
        answer["response"]["body"].to_string().into_bytes()
    }};
}

#[test]
fn every_page_that_was_recorded_reads_and_says_what_its_runs_are() {
    for (body, count) in [
        (recorded!("runs_cron"), 1),
        (recorded!("runs_delayed_and_stuck"), 20),
        (recorded!("runs_dst"), 7),
        (recorded!("runs_empty"), 0),
        (recorded!("runs_orphan"), 3),
        (recorded!("runs_second_exact"), 3),
        (recorded!("runs_tz_mixed"), 3),
    ] {
        let page = RunsPage::read(&body).unwrap();
        assert_eq!((page.runs.len(), page.unreadable), (count, None));
        for (_, run) in page.runs {
            assert_ne!(run.status(), RunStatus::Unknown, "{}", run.run_id);
        }
    }
    let listed = namespaces(&recorded!("namespaces")).unwrap();
    assert_eq!((listed.len(), listed[0].as_str()), (14, "alpha"));
}

#[test]
fn every_graph_that_was_recorded_reads_and_names_the_state_that_failed() {
    let failed =
        |body: &[u8]| RunGraph::read(body).unwrap().failed().map(|node| node.identifier.clone());
    for (body, expected) in [
        (recorded!("run_graph_mid"), None),
        (recorded!("run_graph_unite"), None),
        (recorded!("run_graph_pruned"), None),
        (recorded!("run_graph_unknown"), None),
        (recorded!("run_graph_after_crash"), None),
        // Six attempts failed before the one that did not.
        (recorded!("run_graph_recovered"), None),
        (recorded!("run_graph_fanout_failed"), Some("work")),
        (recorded!("run_graph_retries_exhausted"), Some("work")),
        // Of a run whose second state is in another namespace, each shows its own.
        (recorded!("run_graph_cross_ns_home"), None),
        (recorded!("run_graph_cross_ns_other"), Some("two")),
    ] {
        assert_eq!(failed(&body).as_deref(), expected);
    }
    let next = RunGraph::read(&recorded!("run_graph_next_created_error")).unwrap();
    assert_eq!(next.failed().map(|node| node.status.as_str()), Some("NEXT_CREATED_ERROR"));
    let joined = RunGraph::read(&recorded!("run_graph_unite")).unwrap();
    assert_eq!(joined.leaves().count(), 4, "three branches and their join");
}

#[test]
fn times_that_were_recorded_in_new_york_are_read_in_utc() {
    let page = RunsPage::read(&recorded!("runs_tz_mixed")).unwrap();
    let graph = RunGraph::read(&recorded!("run_graph_tz_newyork")).unwrap();
    let run = &page.runs[2].1;
    let offset = run.created_at.offset_by(graph.oldest_and_newest().unwrap().0).unwrap();
    assert_eq!(run.created_at.in_utc(offset).to_string(), "2026-11-27T12:59:50.108Z");
    let times = NodeTimes::read(&recorded!("node_details_errored")).unwrap();
    let utc = times.created_at.offset_by("6b097cbfbb7bbd78d96447f1").unwrap();
    assert_eq!(utc, ClockOffset::default());
    assert_eq!(times.updated_at.in_utc(utc).to_string(), "2026-11-27T12:51:12.361Z");
    assert!(NodeTimes::read(&recorded!("node_details_success")).is_ok());
}
