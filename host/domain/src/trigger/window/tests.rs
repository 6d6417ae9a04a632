use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

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
        recovery: None,
    }
}

fn ratio(above: f64, last: u32, min_total: u32) -> ThresholdTrigger {
    let ratio = Ratio { above, of: vec![EventTypePattern::new("*").unwrap()], last, min_total };
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

/// What was written, read again.
fn restarted(window: &Window, body: &mut Vec<u8>) -> Window {
    if let Some(moved) = window.moved() {
        *body = moved.to_bytes();
    }
    let head = serde_json::to_string(&window.head()).unwrap();
    Window::from_parts(serde_json::from_str(&head).unwrap(), Some(body)).unwrap()
}

/// All that was ever seen, and nothing clever: what a window must answer.
#[derive(Default)]
struct Plain {
    seen: Vec<(i64, bool)>,
    alerted_at: Option<i64>,
}

impl Plain {
    fn counts(&self, trigger: &ThresholdTrigger, end: i64) -> (u32, u32) {
        let mut seen: Vec<_> = self
            .seen
            .iter()
            .filter(|(at, _)| *at > end - trigger.window_ms as i64 / 1000)
            .collect();
        seen.sort_by_key(|(at, _)| *at);
        let most = match &trigger.breach {
            Breach::Count(_) => trigger.kept(),
            Breach::Ratio(ratio) => ratio.last as usize,
        };
        let newest = &seen[seen.len().saturating_sub(most)..];
        let own = newest.iter().filter(|(_, is_own)| *is_own).count() as u32;
        (own, newest.len() as u32)
    }

    fn fires(&mut self, trigger: &ThresholdTrigger, at: i64, is_own: bool) -> bool {
        let end = self.seen.iter().map(|(at, _)| *at).max().unwrap_or(at).max(at);
        let is_breached = |plain: &Self| {
            let (own, total) = plain.counts(trigger, end);
            trigger.is_breached(own, total)
        };
        if !is_breached(self) {
            self.alerted_at = None;
        }
        self.seen.push((at, is_own));
        let may_alert = self.alerted_at.is_none_or(|alerted_at| {
            trigger.cooldown_ms.is_some_and(|wait| end - alerted_at >= wait as i64 / 1000)
        });
        let fires = is_breached(self) && may_alert;
        if fires {
            self.alerted_at = Some(end);
        }
        fires
    }
}

proptest! {
    /// Late events, many at one time, gaps longer than the window; written down and
    /// read again now and then; large enough to have both parts.
    #[test]
    fn whatever_comes_in_and_however_it_is_kept_the_answer_is_that_of_the_definition(
        events in prop::collection::vec((0..4i64, 0..30i64, any::<bool>(), 0..20u8), 1..700),
        limit in 1..400u32, is_ratio: bool, cooldown_s in prop::option::of(1..60u64),
        window_s in 1..400u64,
    ) {
        let trigger = ThresholdTrigger {
            window_ms: window_s * 1000,
            cooldown_ms: cooldown_s.map(|seconds| seconds * 1000),
            ..if is_ratio { ratio(0.4, limit, 1) } else { count(limit) }
        };
        let (mut window, mut body, mut plain) = (Window::default(), Vec::new(), Plain::default());
        let mut now = 0;
        for (gap, late, is_own, luck) in events {
            now += if luck == 0 { 100 * gap } else { gap / 3 };
            let at_s = if luck < 4 { now - late } else { now };
            let is_own = is_own || !is_ratio;
            let step = window.observe(&trigger, at(at_s), is_own);
            prop_assert_eq!(step.fires, plain.fires(&trigger, at_s, is_own));
            let newest = plain.seen.iter().map(|(at, _)| *at).max().unwrap();
            prop_assert_eq!((step.found, step.total), plain.counts(&trigger, newest));
            if luck % 5 == 0 {
                window = restarted(&window, &mut body);
            }
        }
    }
}

#[test]
fn an_event_in_a_large_window_writes_little() {
    let trigger = ThresholdTrigger { window_ms: 600_000, ..count(10_000) };
    let mut window = Window::default();
    let (mut heads, mut bodies, mut body) = (0, 0, Vec::new());
    let event = |n: i64| Timestamp::from_microsecond(1_800_000_000_000_000 + n * 60_000).unwrap();
    for n in 0..11_000 {
        window.observe(&trigger, event(n), true);
        if n < 10_000 {
            continue;
        }
        if n > 10_000 {
            heads += serde_json::to_string(&window.head()).unwrap().len();
            bodies += window.moved().map_or(0, |moved| moved.to_bytes().len());
        }
        window = restarted(&window, &mut body);
    }
    let (head, older) = (heads / 1_000, bodies / 1_000);
    assert!(head < 400 && older < 300, "{head} and {older} bytes for each event");
}
