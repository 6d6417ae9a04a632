use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// More than `count` in ten seconds.
fn count(count: u32) -> ThresholdTrigger {
    ThresholdTrigger {
        window_ms: 10_000,
        breach: Breach::Count(count),
        group_by: Vec::new(),
        cooldown_ms: None,
    }
}

fn ratio(above: f64, last: u32, min_total: u32) -> ThresholdTrigger {
    let ratio = Ratio { above, of: both_ends(), last, min_total };
    ThresholdTrigger { breach: Breach::Ratio(ratio), ..count(1) }
}

/// At which of these seconds it fires, each a failure.
fn fires(trigger: &ThresholdTrigger, seconds: &[i64]) -> Vec<i64> {
    let mut window = Window::default();
    let seconds = seconds.iter().copied();
    seconds.filter(|second| window.observe(trigger, at(*second), true).fires).collect()
}

#[test]
fn more_than_the_count_fires_once_and_again_after_recovery() {
    assert_eq!(fires(&count(3), &[0, 1, 2]), [0i64; 0], "three are not more than three");
    assert_eq!(fires(&count(3), &[0, 1, 2, 3, 4, 5]), [3]);
    assert_eq!(fires(&count(3), &[0, 1, 2, 3, 30, 31, 32, 33]), [3, 33]);
}

#[test]
fn an_event_leaves_the_window_exactly_when_it_is_as_old_as_the_window() {
    assert_eq!(fires(&count(1), &[0, 10]), [0i64; 0]);
    assert_eq!(fires(&count(1), &[0, 9]), [9]);
}

#[test]
fn a_breach_recovers_as_soon_as_the_window_holds_no_more_than_the_count() {
    // At 11 only the event of 9 is left before the new one: that was a recovery.
    assert_eq!(fires(&count(1), &[0, 9, 11, 12]), [9, 11]);
}

#[test]
fn during_a_breach_it_fires_again_after_the_cooldown() {
    let trigger = ThresholdTrigger { cooldown_ms: Some(4_000), ..count(1) };
    assert_eq!(fires(&trigger, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), [1, 5, 9]);
}

#[test]
fn a_ratio_needs_enough_events_and_looks_at_the_newest_only() {
    let trigger = ratio(0.2, 5, 5);
    let mut window = Window::default();
    let mut seen = |second: i64, failed: bool| window.observe(&trigger, at(second), failed);
    for second in 0..4 {
        assert!(!seen(second, true).fires, "four are too few");
    }
    let fifth = seen(4, false);
    assert!(fifth.fires);
    assert_eq!((fifth.found, fifth.total), (4, 5));
    assert!(!seen(5, true).fires, "the same breach");
    for second in 6..10 {
        seen(second, false);
    }
    let recovered = seen(10, false);
    assert_eq!((recovered.found, recovered.total, recovered.is_breached), (0, 5, false));
    assert!(!seen(11, true).fires, "one of five is not over a fifth");
    assert!(seen(12, true).fires, "two of five are");
}

#[test]
fn late_events_find_their_place() {
    assert_eq!(fires(&count(2), &[5, 3, 4]), [4]);
    assert_eq!(fires(&count(2), &[50, 3, 4, 5]), [0i64; 0], "too old for the newest window");
}

#[test]
fn an_event_from_before_the_breach_does_not_end_it() {
    assert_eq!(fires(&count(2), &[8, 9, 10, 1]), [10]);
    assert_eq!(fires(&count(2), &[8, 9, 10, 1, 11]), [10], "nor for those after it");
}

#[test]
fn figures_say_what_was_found() {
    let group = Map::from_iter([("graph_name".to_owned(), json!("etl"))]);
    let figures = count(3).figures(4, 4, &group);
    assert_eq!(
        figures,
        json!({"type": "threshold", "window_ms": 10_000, "count": 4, "limit": 3,
            "group": {"graph_name": "etl"}})
    );
    let figures = ratio(0.2, 50, 10).figures(3, 10, &Map::new());
    assert_eq!(figures["ratio"], 0.3);
}

#[test]
fn absurd_numbers_are_refused_by_name() {
    let pointers = |trigger: ThresholdTrigger| {
        trigger.problems().into_iter().map(|error| error.pointer).collect::<Vec<_>>()
    };
    assert!(pointers(count(3)).is_empty());
    assert_eq!(pointers(count(0)), ["/count"]);
    assert_eq!(pointers(count(10_001)), ["/count"]);
    assert_eq!(pointers(ThresholdTrigger { window_ms: 0, ..count(1) }), ["/window_ms"]);
    assert_eq!(pointers(ThresholdTrigger { window_ms: u64::MAX, ..count(1) }), ["/window_ms"]);
    assert_eq!(pointers(ThresholdTrigger { cooldown_ms: Some(0), ..count(1) }), ["/cooldown_ms"]);
    assert_eq!(pointers(ratio(1.0, 5, 5)), ["/ratio/above"]);
    assert_eq!(pointers(ratio(f64::NAN, 5, 5)), ["/ratio/above"]);
    assert_eq!(pointers(ratio(0.5, 5, 6)), ["/ratio/min_total"]);
    let doubled = vec!["a".to_owned(), "a".to_owned(), "b..c".to_owned()];
    let grouped = ThresholdTrigger { group_by: doubled, ..count(1) };
    assert_eq!(pointers(grouped), ["/group_by/1", "/group_by/2"]);
}

proptest! {
    /// Against the plain definition, for events in order.
    #[test]
    fn a_window_counts_as_the_definition_says(
        gaps in prop::collection::vec(0..6i64, 1..60), limit in 1..6u32,
    ) {
        let trigger = count(limit);
        let (mut window, mut times, mut now) = (Window::default(), Vec::new(), 0);
        for gap in gaps {
            now += gap;
            times.push(now);
            let step = window.observe(&trigger, at(now), true);
            let in_window = times.iter().filter(|time| **time > now - 10).count() as u32;
            prop_assert_eq!(step.is_breached, in_window > limit);
            // Beyond what shows the breach, counting stops.
            prop_assert!(step.found == in_window || step.found > limit);
        }
    }

    /// One alert for each stretch of breach.
    #[test]
    fn between_two_alerts_there_was_a_recovery(
        gaps in prop::collection::vec(0..6i64, 1..60), limit in 1..6u32,
    ) {
        let trigger = count(limit);
        let (mut window, mut times, mut now) = (Window::default(), Vec::<i64>::new(), 0);
        let mut told = false;
        for gap in gaps {
            now += gap;
            let before = times.iter().filter(|time| **time > now - 10).count() as u32;
            told &= before > limit;
            times.push(now);
            let after = times.iter().filter(|time| **time > now - 10).count() as u32;
            let fires = window.observe(&trigger, at(now), true).fires;
            prop_assert_eq!(fires, after > limit && !told);
            told |= fires;
        }
    }
}

#[test]
fn what_could_never_fire_or_is_too_much_to_remember_is_refused_by_field() {
    let pointers = |trigger: ThresholdTrigger| {
        let problems = trigger.problems().into_iter();
        problems.map(|problem| problem.pointer).collect::<Vec<_>>()
    };
    let most = ThresholdTrigger::MAX_EVENTS;
    for (wrong, pointer) in [
        (count(0), "/count"),
        (count(most + 1), "/count"),
        (ThresholdTrigger { window_ms: 0, ..count(1) }, "/window_ms"),
        (ThresholdTrigger { cooldown_ms: Some(0), ..count(1) }, "/cooldown_ms"),
        (ratio(1.0, 5, 5), "/ratio/above"),
        (ratio(-0.1, 5, 5), "/ratio/above"),
        (ratio(f64::NAN, 5, 5), "/ratio/above"),
        (ratio(0.5, most + 1, 5), "/ratio/last"),
        (ratio(0.5, 5, 6), "/ratio/min_total"),
        (ratio(0.5, 5, 0), "/ratio/min_total"),
    ] {
        let told = format!("{wrong:?}");
        assert_eq!(pointers(wrong), [pointer], "{told}");
    }
    for of in [Vec::new(), vec![EventTypePattern::new("*").unwrap(); 11]] {
        let ratio = Ratio { above: 0.5, of, last: 5, min_total: 5 };
        let trigger = ThresholdTrigger { breach: Breach::Ratio(ratio), ..count(1) };
        assert_eq!(pointers(trigger), ["/ratio/of"]);
    }
    assert!(pointers(count(most)).is_empty() && pointers(ratio(0.0, most, most)).is_empty());
}

#[test]
fn a_ratio_looks_at_more_than_its_own_types_and_a_count_at_those_alone() {
    let own = EventTypePattern::new("task.failed").unwrap();
    let (counted, share) = (count(1), ratio(0.5, 5, 5));
    assert_eq!(counted.looks_at(&own), std::slice::from_ref(&own));
    assert_eq!(share.looks_at(&own).len(), 1 + both_ends().len());
}
