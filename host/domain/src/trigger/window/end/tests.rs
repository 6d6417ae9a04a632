use proptest::prelude::{any, prop, prop_assert_eq, prop_assume, proptest};
use serde_json::{Map, json};

use super::*;
use crate::event::EventTypePattern;
use crate::trigger::Ratio;

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
        recovery: Some(true),
    }
}

fn ratio(above: f64, last: u32, min_total: u32) -> ThresholdTrigger {
    let ratio = Ratio { above, of: vec![EventTypePattern::new("*").unwrap()], last, min_total };
    ThresholdTrigger { breach: Breach::Ratio(ratio), ..count(1) }
}

fn group() -> Group {
    Group { key: "0f".into(), values: Map::from_iter([("host".to_owned(), json!("db-7"))]) }
}

/// Shows an event that happened at `second` and came in `lag` seconds later.
fn see(
    window: &mut Window,
    trigger: &ThresholdTrigger,
    second: i64,
    lag: i64,
    is_own: bool,
) -> WindowStep {
    let step = window.observe(trigger, at(second), is_own);
    window.watch_end(step, &group(), at(second), at(second + lag));
    step
}

#[test]
fn a_breach_is_over_when_enough_has_left_the_window() {
    let (trigger, mut window) = (count(2), Window::default());
    for second in [0, 1] {
        see(&mut window, &trigger, second, 0, true);
        assert_eq!(window.over_at(&trigger), None, "there is no breach");
    }
    assert!(see(&mut window, &trigger, 4, 0, true).fires);
    assert_eq!(window.over_at(&trigger), Some(at(10)), "when that of 0 leaves");
    see(&mut window, &trigger, 6, 0, true);
    assert_eq!(window.over_at(&trigger), Some(at(11)));
    assert_eq!(window.end(&trigger, at(10)), None);
    let (found, total, told) = window.end(&trigger, at(12)).unwrap();
    assert_eq!((found, total, told.since), (2, 2, at(4)));
    assert_eq!((window.end(&trigger, at(99)), window.over_at(&trigger)), (None, None), "once");
    assert!(see(&mut window, &trigger, 12, 0, true).fires, "a new breach");
}

#[test]
fn what_is_told_of_late_is_waited_for_as_long_as_it_would_have_been() {
    let (trigger, mut window) = (count(1), Window::default());
    for second in [0, 1] {
        see(&mut window, &trigger, second, 3600, true);
    }
    assert_eq!(window.over_at(&trigger), Some(at(3610)));
    // One that came sooner shows that the emitter is not that slow.
    see(&mut window, &trigger, 2, 60, true);
    assert_eq!(window.over_at(&trigger), Some(at(71)));
}

#[test]
fn events_that_find_a_breach_over_have_it_told_at_once() {
    let (trigger, mut window) = (count(1), Window::default());
    see(&mut window, &trigger, 0, 0, true);
    see(&mut window, &trigger, 1, 0, true);
    see(&mut window, &trigger, 50, 0, true);
    assert_eq!(window.over_at(&trigger), Some(at(50)));
    assert_eq!(window.end(&trigger, at(50)).unwrap().0, 1);
}

#[test]
fn a_breach_that_begins_anew_before_its_end_was_told_goes_on() {
    let (trigger, mut window) = (count(1), Window::default());
    for second in [0, 1, 50] {
        see(&mut window, &trigger, second, 0, true);
    }
    assert!(see(&mut window, &trigger, 51, 0, true).fires);
    let (_, _, told) = window.end(&trigger, at(60)).unwrap();
    assert_eq!(told.since, at(1), "it was told of then");
}

#[test]
fn a_share_may_end_with_what_goes_well() {
    let (trigger, mut window) = (ratio(0.5, 100, 2), Window::default());
    see(&mut window, &trigger, 0, 0, true);
    assert!(see(&mut window, &trigger, 1, 0, true).fires);
    assert_eq!(window.over_at(&trigger), Some(at(10)), "one alone is no share");
    see(&mut window, &trigger, 2, 0, false);
    see(&mut window, &trigger, 3, 0, false);
    assert_eq!(window.over_at(&trigger), Some(at(3)), "half is not more than half");
    let (found, total, _) = window.end(&trigger, at(3)).unwrap();
    assert_eq!((found, total), (2, 4));
}

#[test]
fn nobody_is_told_of_what_nobody_wants_to_know() {
    let (trigger, mut window) = (count(1), Window::default());
    see(&mut window, &trigger, 0, 0, true);
    see(&mut window, &trigger, 1, 0, true);
    window.leave_end();
    assert_eq!((window.over_at(&trigger), window.end(&trigger, at(99))), (None, None));
    let step = window.observe(&trigger, at(50), true);
    window.watch_end(step, &group(), at(50), at(50));
    let step = window.observe(&trigger, at(51), true);
    window.watch_end(step, &group(), at(51), at(51));
    window.not_alerted();
    assert_eq!(window.over_at(&trigger), None, "what was not alerted has no end");
}

#[test]
fn a_rule_that_was_changed_meanwhile_is_judged_as_it_is() {
    let mut window = Window::default();
    for second in [0, 1, 2] {
        see(&mut window, &count(2), second, 0, true);
    }
    assert_eq!(window.over_at(&count(2)), Some(at(10)));
    assert_eq!(window.end(&count(1), at(10)), None, "two are too many by now");
    assert_eq!(window.over_at(&count(1)), Some(at(11)));
}

#[test]
fn what_is_remembered_for_the_end_reads_back() {
    let mut window = Window::default();
    for second in [0, 1] {
        see(&mut window, &count(1), second, 7, true);
    }
    let head = serde_json::to_string(&window.head()).unwrap();
    let read = Window::from_parts(serde_json::from_str(&head).unwrap(), None).unwrap();
    assert_eq!(read.told, window.told);
    assert_eq!(read.over_at(&count(1)), window.over_at(&count(1)));
}

proptest! {
    /// Against the plain definition: second by second.
    #[test]
    fn a_breach_ends_at_the_first_moment_at_which_there_is_no_longer_too_much(
        events in prop::collection::vec((0..4i64, any::<bool>()), 1..60),
        limit in 1..8u32, is_ratio: bool,
    ) {
        let trigger = if is_ratio { ratio(0.4, limit, 1) } else { count(limit) };
        let (mut window, mut now) = (Window::default(), 0);
        for (gap, is_own) in events {
            now += gap;
            see(&mut window, &trigger, now, 0, is_own || !is_ratio);
        }
        prop_assume!(window.told.is_some());
        let over_at = window.over_at(&trigger).unwrap();
        let is_too_much = |second: i64| {
            let (found, total) = window.counts(&trigger, (second - 10) * 1_000_000);
            trigger.is_breached(found, total)
        };
        let first = (now..now + 12).find(|second| !is_too_much(*second)).unwrap();
        prop_assert_eq!(over_at, at(first));
        let mut ended = window.clone();
        let end = ended.end(&trigger, over_at).map(|(found, total, _)| (found, total));
        prop_assert_eq!(end, Some(window.counts(&trigger, (first - 10) * 1_000_000)));
    }
}
