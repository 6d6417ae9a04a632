//! Runs as they were recorded on the real platform, look after look.

use serde::Deserialize;

use super::*;
use crate::exosphere::answers::RunsPage;

/// Recorded rows of one run, or whole answers, each with the time of the look in seconds.
#[derive(Deserialize)]
struct Look {
    #[serde(default)]
    t: f64,
    row: Option<RunRow>,
    body: Option<serde_json::Value>,
}

impl Look {
    fn row(self) -> Option<(i64, RunRow)> {
        let ms = (self.t * 1000.0) as i64;
        let row = self.row.or_else(|| {
            let page = RunsPage::read(self.body?.to_string().as_bytes()).unwrap();
            page.runs.into_iter().next().map(|(_, row)| row)
        });
        row.map(|row| (ms, row))
    }
}

fn recorded(json: &str) -> Vec<(i64, RunRow)> {
    let looks: Vec<Look> = serde_json::from_str(json).unwrap();
    looks.into_iter().filter_map(Look::row).collect()
}

macro_rules! recorded {
    ($name:literal) => {
        recorded(include_str!(concat!("../fixtures/", $name, ".json")))
    };
}

fn at(ms: i64) -> ReadAt {
    ReadAt { asked_ms: ms, answered_ms: ms }
}

/// The run, and what it was told of it.
#[derive(Default)]
struct Watched {
    memory: Option<RunMemory>,
    is_open: bool,
    told: Vec<String>,
}

impl Watched {
    fn look(&mut self, row: &RunRow, now_ms: i64) {
        // What is remembered is always read from the database.
        let read = |memory| serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
        let Seen { memory, moments, is_open } = match self.memory.take().map(read) {
            None => first_seen(row, false, at(now_ms)),
            Some(memory) => seen(memory, row, at(now_ms)),
        };
        (self.memory, self.is_open) = (Some(memory), is_open);
        let total = row.counts.total_count;
        self.told.extend(moments.into_iter().map(|moment| match moment {
            Moment::Started => "started".to_owned(),
            Moment::Ended { end: End::Succeeded, repeat: 0 } => format!("succeeded/{total}"),
            Moment::Ended { end: End::Failed, repeat: 0 } => format!("failed/{total}"),
            Moment::Ended { end: End::Succeeded, repeat } => format!("succeeded/{total}/{repeat}"),
            Moment::Ended { end: End::Failed, repeat } => format!("failed/{total}/{repeat}"),
            Moment::Restarted { after_total, repeat: 0, .. } => format!("restarted/{after_total}"),
            Moment::Restarted { after_total, repeat, .. } => {
                format!("restarted/{after_total}/{repeat}")
            }
        }));
    }
}

/// What is told when each recorded row is looked at once as it was, and what comes
/// after it long enough after to be believed.
fn at_rest(rows: &[(i64, RunRow)]) -> Vec<String> {
    let mut watched = Watched::default();
    for (number, (_, row)) in (0..).zip(rows) {
        watched.look(row, number * 10_000);
        watched.look(row, number * 10_000 + CONFIRM_MS);
    }
    watched.told
}

/// What is told by looks at the very moments of the recording, and a last one later.
fn as_recorded(rows: &[(i64, RunRow)]) -> Watched {
    let mut watched = Watched::default();
    for (ms, row) in rows {
        watched.look(row, *ms);
    }
    let (ms, row) = rows.last().unwrap();
    watched.look(row, ms + CONFIRM_MS);
    watched
}

#[test]
fn a_run_starts_and_succeeds_once() {
    let rows = recorded!("seq_linear_success");
    assert_eq!(at_rest(&rows), ["started", "succeeded/2"]);
    let watched = as_recorded(&rows);
    assert_eq!((watched.told, watched.is_open), (at_rest(&rows), false));
}

#[test]
fn retries_of_its_own_are_no_end() {
    let rows = recorded!("seq_auto_retry_then_failed");
    assert_eq!(at_rest(&rows), ["started", "failed/3"]);
}

#[test]
fn each_manual_retry_opens_it_again_and_each_end_has_an_id_of_its_own() {
    let told = at_rest(&recorded!("seq_manual_retry"));
    let expected = [
        "started",
        "failed/3",
        "restarted/3",
        "failed/6",
        "restarted/6",
        "succeeded/7",
        "restarted/7",
        "succeeded/8",
        "restarted/8",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_retry_that_nobody_saw_is_told_from_the_number_of_states() {
    let rows = recorded!("seq_manual_retry");
    let missed = [rows[0].clone(), rows[4].clone(), rows[8].clone()];
    let expected = ["started", "failed/3", "restarted/3", "failed/6", "restarted/6", "succeeded/8"];
    assert_eq!(at_rest(&missed), expected);
}

#[test]
fn a_state_that_is_enqueued_again_in_place_leaves_the_number_and_each_end_is_told() {
    let told = at_rest(&recorded!("seq_reenqueue_in_place"));
    let expected = [
        "started",
        "failed/1",
        "restarted/1",
        "failed/1/1",
        // This one was seen by its other end alone.
        "restarted/1/1",
        "succeeded/1",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_failed_branch_is_told_when_the_others_are_over() {
    assert_eq!(at_rest(&recorded!("seq_fanout_one_failed")), ["started", "failed/6"]);
    let joined = recorded!("seq_all_done_failed_after_join");
    assert_eq!(at_rest(&joined), ["started", "failed/4"]);
    let crossing = recorded!("seq_cross_namespace_failed");
    assert_eq!(at_rest(&crossing), ["started", "failed/2"]);
}

#[test]
fn an_end_whose_join_never_runs_is_an_end_all_the_same() {
    assert_eq!(at_rest(&recorded!("seq_pruned_join_never_ran")), ["started", "succeeded/3"]);
    let last = recorded!("seq_error_last_join_never_ran_all_done");
    assert_eq!(at_rest(&last), ["started", "failed/3"]);
}

#[test]
fn a_success_before_a_join_is_none() {
    let rows = recorded!("seq_transient_success");
    assert!(rows.iter().any(|(_, row)| row.status == "SUCCESS" && row.counts.total_count == 4));
    assert_eq!(as_recorded(&rows).told, ["started", "succeeded/5"]);
}

#[test]
fn a_run_without_states_is_waited_for_and_then_told_as_failed() {
    let rows = recorded!("seq_trigger_race");
    assert_eq!((rows[0].1.status.as_str(), rows[0].1.counts.total_count), ("FAILED", 0));
    assert_eq!(as_recorded(&rows).told, ["started"], "it was about to start");
    let orphan = include_str!("../fixtures/runs_orphan.json");
    let orphan: serde_json::Value = serde_json::from_str(orphan).unwrap();
    let page = RunsPage::read(orphan["response"]["body"].to_string().as_bytes()).unwrap();
    let orphan = &page.runs[0].1;
    let mut watched = Watched::default();
    for ms in [0, NO_STATES_MS - 1] {
        watched.look(orphan, ms);
        assert_eq!((watched.told.len(), watched.is_open), (0, true), "{ms}");
    }
    for ms in [NO_STATES_MS, NO_STATES_MS * 2] {
        watched.look(orphan, ms);
        assert_eq!(
            (watched.told.as_slice(), watched.is_open),
            (&["failed/0".to_owned()][..], false)
        );
    }
    // A trigger that was this slow has started a run after all.
    watched.look(&rows[1].1, NO_STATES_MS * 3);
    assert_eq!((watched.told, watched.is_open), (vec!["failed/0".into(), "started".into()], true));
}

#[test]
fn what_a_row_says_in_words_that_are_not_known_is_neither_an_end_nor_lost() {
    let rows = recorded!("seq_linear_success");
    let (_, pending) = &rows[0];
    let (_, success) = rows.last().unwrap();
    let mut timed_out = success.clone();
    timed_out.counts.total_count += 1;
    let mut watched = Watched::default();
    for (number, row) in (0..).zip([pending, &timed_out, &timed_out, success, success]) {
        watched.look(row, number * CONFIRM_MS);
        assert_eq!(watched.is_open, number < 4, "{number}");
    }
    assert_eq!(watched.told, ["started", "succeeded/2"]);
}

#[test]
fn a_clock_that_is_set_back_or_forth_makes_no_end_of_a_moment() {
    let rows = recorded!("seq_linear_success");
    let (_, success) = rows.last().unwrap();
    let mut watched = Watched::default();
    for ms in [100_000, 1_000, 2_999] {
        watched.look(success, ms);
        assert_eq!(watched.told, ["started"], "{ms}");
    }
    watched.look(success, 3_000);
    assert_eq!(watched.told, ["started", "succeeded/2"]);
}

#[test]
fn what_was_there_before_anybody_watched_is_not_told_and_what_comes_of_it_is() {
    let rows = recorded!("seq_manual_retry");
    let (failed, retried) = (&rows[0].1, &rows[1].1);
    let old = first_seen(failed, true, at(0));
    assert_eq!((old.moments.len(), old.is_open), (0, false));
    let retried_soon = seen(old.memory, retried, at(3_000));
    assert!(matches!(retried_soon.moments[..], [Moment::Restarted { after_total: 3, .. }]));
    // What was seen between a branch and its join was no end.
    let joining = recorded!("seq_transient_success");
    let (branches, join) = (&joining[3].1, &joining[4].1);
    assert_eq!((branches.status.as_str(), join.status.as_str()), ("SUCCESS", "PENDING"));
    let old = first_seen(branches, true, at(0));
    let joined = seen(old.memory.clone(), join, at(3_000));
    assert_eq!((joined.moments.len(), joined.is_open), (0, true));
    let joined_later = seen(old.memory, join, at(FIRST_LOOK_MS));
    assert!(matches!(joined_later.moments[..], [Moment::Restarted { after_total: 4, .. }]));
    let old = first_seen(retried, true, at(0));
    assert_eq!((old.moments.len(), old.is_open), (0, true));
    let ended = &rows[4].1;
    let candidate = seen(old.memory, ended, at(20_000));
    let told = seen(candidate.memory, ended, at(20_000 + CONFIRM_MS));
    assert!(matches!(told.moments[..], [Moment::Ended { end: End::Failed, repeat: 0 }]));
}

#[test]
fn whoever_begins_anew_at_any_moment_tells_the_same() {
    for rows in [recorded!("seq_auto_retry_then_failed"), recorded!("seq_transient_success")] {
        let whole = as_recorded(&rows).told;
        for from in 0..rows.len() {
            let told = as_recorded(&rows[from..]).told;
            assert_eq!(told, whole, "from look {from}");
        }
    }
}

#[test]
fn an_answer_that_took_long_is_no_proof_that_time_has_passed_between_two_reads() {
    let rows = recorded!("seq_linear_success");
    let (_, success) = rows.last().unwrap();
    let slow = ReadAt { asked_ms: 0, answered_ms: 40_000 };
    let first = first_seen(success, false, slow);
    let soon = seen(first.memory, success, ReadAt { asked_ms: 40_200, answered_ms: 80_000 });
    assert_eq!((soon.moments.len(), soon.is_open), (0, true));
    let late = seen(soon.memory, success, ReadAt { asked_ms: 80_200, answered_ms: 80_300 });
    assert_eq!((late.moments.len(), late.is_open), (1, false));
}
