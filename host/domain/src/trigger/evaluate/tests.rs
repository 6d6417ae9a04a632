use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};
use serde_json::json;

use super::*;
use crate::trigger::{Breach, Older, RunKey};

const DURATION: DurationTrigger = DurationTrigger { threshold_ms: 10_000 };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn threshold(count: u32, window_s: u64) -> ThresholdTrigger {
    ThresholdTrigger {
        window_ms: window_s * 1000,
        breach: Breach::Count(count),
        group_by: Vec::new(),
        cooldown_ms: None,
        recovery: None,
    }
}

fn event_id(number: u128) -> EventId {
    EventId::new(at(0), number)
}

fn run(second: i64, phase: RunPhase) -> Observed {
    run_told(second, at(second), phase)
}

fn run_told(second: i64, received_at: Timestamp, phase: RunPhase) -> Observed {
    let run = RunKey::new(None, "r").unwrap();
    let sighting = RunSighting { run, at: at(second), received_at, phase };
    Observed::Run { trigger: DURATION, sighting, may_fire: true }
}

fn see(memory: &mut Memory, number: u128, received_at: Timestamp, seen: &Observed) -> Effects {
    let event = event_id(number);
    evaluate(memory, Occasion::Seen { seen, event, received_at, can_alert: true })
}

/// A memory as it is after it was written down and read again.
fn restarted(memory: &Memory, body: &mut Option<Vec<u8>>) -> Memory {
    let written = memory.written();
    match written.older {
        Older::Unchanged => {}
        Older::Replaced(bytes) => *body = Some(bytes),
        Older::Gone => *body = None,
    }
    let mut read = Memory::read(&written.state, body.as_deref()).unwrap();
    read.due_at = memory.due_at;
    read.forget_at = memory.forget_at;
    read.told_by = memory.told_by;
    read
}

#[test]
fn a_run_is_told_about_from_its_start_to_its_alert() {
    let mut memory = Memory::default();
    let seen = see(&mut memory, 1, at(100), &run(100, RunPhase::Started));
    let explanation = seen.explanation.unwrap();
    assert_eq!(explanation.reason, Reason::Watching);
    let told = "fires at 1970-01-01T00:01:50Z unless the run ends before";
    assert_eq!(explanation.detail.as_deref(), Some(told));
    assert_eq!((memory.due_at, memory.told_by), (Some(at(110)), Some(event_id(1))));
    assert_eq!(memory.forget_at, None, "it is still needed");

    let due = |now| Occasion::Due { trigger: DURATION, now: at(now) };
    assert_eq!(evaluate(&mut memory, due(109)), Effects::default());
    let Firing::TooLong { elapsed_ms, figures, .. } =
        evaluate(&mut memory, due(112)).firing.unwrap()
    else {
        panic!("a run took too long");
    };
    assert_eq!((elapsed_ms, &figures["elapsed_ms"]), (12_000, &json!(12_000)));
    assert_eq!(evaluate(&mut memory, due(113)), Effects::default(), "once");
    assert!(memory.due_at.is_none() && memory.forget_at.is_some());
}

#[test]
fn a_dropped_run_is_not_due_again_until_something_new_is_told_of_it() {
    let mut memory = Memory::default();
    see(&mut memory, 1, at(100), &run(100, RunPhase::Started));
    evaluate(&mut memory, Occasion::Dropped { now: at(110) });
    assert!(memory.due_at.is_none() && memory.forget_at.is_some());
    see(&mut memory, 2, at(200), &run(200, RunPhase::Started));
    assert_eq!((memory.due_at, memory.told_by), (Some(at(210)), Some(event_id(2))));
}

#[test]
fn the_alert_is_about_the_newest_start_also_where_the_emitters_clock_is_ahead() {
    let mut memory = Memory::default();
    // Both are waited for from when they came in, so the time at which to fire stays.
    for (number, second) in [(1, 150), (2, 160)] {
        let started = run_told(second, at(100), RunPhase::Started);
        see(&mut memory, number, at(100), &started);
        assert_eq!(memory.due_at, Some(at(110)));
    }
    assert_eq!(memory.told_by, Some(event_id(2)));
}

#[test]
fn a_breach_of_which_no_alert_could_be_made_is_still_to_be_told() {
    let mut memory = Memory::default();
    let trigger = threshold(1, 10);
    let mut count = |second, can_alert| {
        let group = Group::of(&[], &nothing(), &Value::Null);
        let seen = Observed::Event {
            trigger: trigger.clone(),
            at: at(second),
            is_own: true,
            group,
            tells_end: false,
        };
        let (event, received_at) = (event_id(second as u128), at(second));
        let occasion = Occasion::Seen { seen: &seen, event, received_at, can_alert };
        evaluate(&mut memory, occasion).explanation.unwrap().reason
    };
    assert_eq!(count(1, true), Reason::BelowThreshold);
    assert_eq!(count(2, false), Reason::Fired);
    assert_eq!(count(3, true), Reason::Fired, "now it can be told");
    assert_eq!(count(4, true), Reason::AlreadyAlerted);
}

#[test]
fn a_group_is_due_when_its_breach_is_over_and_forgotten_only_after_that() {
    let (trigger, mut memory) = (threshold(1, 10), Memory::default());
    let event_type = EventTypePattern::new("workflow.failed").unwrap();
    let watched = Watched { trigger: &trigger, event_type: &event_type, group_key: "" };
    for second in [0, 1] {
        let group = Group::of(&[], &nothing(), &Value::Null);
        let seen = Observed::Event {
            trigger: trigger.clone(),
            at: at(second),
            is_own: true,
            group,
            tells_end: false,
        };
        see(&mut memory, second as u128, at(second), &seen.telling_the_end());
    }
    assert_eq!((memory.due_at, memory.forget_at), (Some(at(10)), None));
    let quiet = |now| Occasion::Quiet { watched, now: at(now) };
    assert_eq!(evaluate(&mut memory, quiet(9)), Effects::default());
    let Some(Firing::Recovered { figures, detail }) = evaluate(&mut memory, quiet(10)).firing
    else {
        panic!("it is over");
    };
    assert_eq!(detail, "1 in the last 10s; fires at more than 1");
    assert_eq!(
        figures,
        json!({"type": "threshold", "state": "recovered", "event_type": "workflow.failed",
            "window_ms": 10_000, "count": 1, "limit": 1, "since": "1970-01-01T00:00:01Z"})
    );
    assert_eq!((memory.due_at, memory.forget_at), (None, Some(at(20))));
    assert_eq!(evaluate(&mut memory, quiet(11)), Effects::default(), "once");
}

fn nothing() -> Event {
    let json = r#"{"specversion":"1.0","id":"1","source":"/s","type":"workflow.failed"}"#;
    Event::from_structured(Bytes::from_static(json.as_bytes())).unwrap()
}

#[test]
fn an_event_from_the_near_future_does_not_blind_a_threshold() {
    let trigger = Trigger::Threshold(threshold(3, 600));
    let own = EventTypePattern::new("workflow.failed").unwrap();
    let mut memory = Memory::default();
    let mut reasons = Vec::new();
    for (number, ahead) in [(0, 59 * 60), (1, 0), (2, 0), (3, 0), (4, 0)] {
        let received_at = at(1_000_000 + number);
        let mut event = nothing();
        event.time = Some(at(1_000_000 + number + ahead));
        let seen = Observed::of(&trigger, &own, &event, &Value::Null, received_at, true).unwrap();
        let effects = see(&mut memory, number as u128, received_at, &seen);
        reasons.push(effects.explanation.unwrap().reason);
    }
    use Reason::{AlreadyAlerted, BelowThreshold, Fired};
    assert_eq!(reasons, [BelowThreshold, BelowThreshold, BelowThreshold, Fired, AlreadyAlerted]);
}

#[test]
fn an_event_without_a_run_that_can_be_kept_is_told_as_such() {
    let own = EventTypePattern::new("*").unwrap();
    let trigger = Trigger::Duration(DURATION);
    for data in [json!(null), json!({"run_id": "a\0b"}), json!({"run_id": "r".repeat(300)})] {
        let event = json!({"specversion": "1.0", "id": "1", "source": "/s",
            "type": "workflow.started", "data": data});
        let event = Event::from_structured(Bytes::from(event.to_string())).unwrap();
        let told = Observed::of(&trigger, &own, &event, &data, at(0), true).unwrap_err();
        assert_eq!(told.reason, Reason::NoRun, "{data}");
        assert!(told.detail.unwrap().contains("names no run"));
    }
}

#[test]
fn a_group_whose_values_no_database_can_hold_has_a_key_that_it_can() {
    let trigger = ThresholdTrigger { group_by: vec!["g".into()], ..threshold(1, 10) };
    let trigger = Trigger::Threshold(trigger);
    let own = EventTypePattern::new("*").unwrap();
    for data in [json!({"g": "a\0b"}), json!({"g": "\0".repeat(100_000)})] {
        let seen = Observed::of(&trigger, &own, &nothing(), &data, at(0), true).unwrap();
        assert!(crate::text::is_storable(seen.key()) && seen.key().len() <= 64);
        let mut memory = Memory::default();
        see(&mut memory, 1, at(0), &seen);
        let firing = see(&mut memory, 2, at(1), &seen).firing;
        let Some(Firing::TooMuch { figures, .. }) = firing else { panic!("two are too many") };
        let stored = figures.to_string();
        assert!(crate::text::is_storable(&stored) && stored.len() < 1024, "{stored}");
    }
}

proptest! {
    /// Starts and ends of three runs in any order and with repetitions, with timers that are looked at now and then and
    /// with a restart after each: a run is alerted at most once for each opening, and
    /// one that is watched at the end is alerted then.
    #[test]
    fn runs_alert_once_for_an_opening_in_whatever_order_they_are_told(
        told in prop::collection::vec((0..3u8, 0..40i64, any::<bool>()), 1..20),
        looks in prop::collection::vec(any::<bool>(), 20),
    ) {
        let mut memories: BTreeMap<u8, (Memory, u32)> = BTreeMap::new();
        let mut starts: BTreeMap<u8, BTreeSet<i64>> = BTreeMap::new();
        for (number, (which, second, is_start)) in told.iter().enumerate() {
            let (memory, fired) = memories.entry(*which).or_default();
            let phase = match is_start {
                true => RunPhase::Started,
                false => RunPhase::Ended { took_ms: None },
            };
            if *is_start {
                starts.entry(*which).or_default().insert(*second);
            }
            let effects = see(memory, number as u128, at(100), &run(*second, phase));
            *fired += u32::from(effects.firing.is_some());
            prop_assert_eq!(memory.due_at.is_some(), memory.forget_at.is_none());
            *memory = restarted(memory, &mut None);
            if looks[number % looks.len()] && memory.due_at.is_some_and(|due_at| due_at <= at(100)) {
                let due = Occasion::Due { trigger: DURATION, now: at(100) };
                *fired += u32::from(evaluate(memory, due).firing.is_some());
            }
        }
        for (which, (memory, fired)) in &mut memories {
            let is_watched = memory.due_at.is_some();
            let due = Occasion::Due { trigger: DURATION, now: at(1_000) };
            let at_last = evaluate(memory, due).firing.is_some();
            prop_assert_eq!(at_last, is_watched);
            *fired += u32::from(at_last);
            let openings = starts.get(which).map_or(0, |starts| starts.len() as u32);
            prop_assert!(*fired <= openings, "{} alerts of {} openings", fired, openings);
        }
    }
}
