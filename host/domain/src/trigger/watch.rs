//! A run that takes too long, seen while it is still going.
//!
//! What is kept of a run is the newest start and the newest end. Both only move
//! forward, so events may come twice and in any order; a start after an end is
//! the run opened again, and is watched anew. Their order is that of the emitter's
//! own clock; but a start is waited for from when it came in at the latest, so
//! that a clock that is ahead delays no alert.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::duration::DurationTrigger;
use super::run::{RunPhase, RunSighting};

/// What one rule remembers of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RunWatch {
    /// The newest start.
    started_at: Option<Timestamp>,
    /// When that came in, where its time was still to come then.
    #[serde(skip_serializing_if = "Option::is_none")]
    came_in_at: Option<Timestamp>,
    /// The newest end.
    ended_at: Option<Timestamp>,
    /// The start, or without one the end, for which the rule has fired.
    fired_for: Option<Timestamp>,
    /// The start for which the condition did not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld_for: Option<Timestamp>,
}

/// What follows from a sighting of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunStep {
    /// It is watched, until then.
    Watching {
        /// When the threshold passes.
        due_at: Timestamp,
    },
    /// It is not, or no longer.
    Ended(WatchEnd),
    /// It has taken too long: fire.
    Fire {
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
    },
}

/// Why a run is not watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WatchEnd {
    /// It ended before the threshold.
    InTime,
    /// The rule has fired for it already.
    FiredBefore,
    /// The condition did not hold when it started.
    Withheld,
    /// A newer event of this run is known, or it ended without saying how long
    /// it took.
    NothingNew,
}

impl RunWatch {
    /// Takes a sighting in. `may_fire` is false where the rule's condition does
    /// not hold: such a run is not watched, but its end ends a watch all the same.
    pub(super) fn observe(
        &mut self,
        trigger: &DurationTrigger,
        sighting: &RunSighting,
        may_fire: bool,
    ) -> RunStep {
        match sighting.phase {
            RunPhase::Started => self.started(trigger, sighting, may_fire),
            RunPhase::Ended { took_ms } => self.ended(trigger, sighting.at, took_ms, may_fire),
        }
    }

    fn started(
        &mut self,
        trigger: &DurationTrigger,
        sighting: &RunSighting,
        may_fire: bool,
    ) -> RunStep {
        let at = sighting.at;
        if self.started_at.is_none_or(|known| known < at) {
            self.started_at = Some(at);
            self.came_in_at = Some(sighting.received_at).filter(|came_in_at| *came_in_at < at);
            if !may_fire {
                self.withheld_for = Some(at);
            }
        }
        self.standing(trigger)
    }

    /// Where the run stands when an event of it changes nothing.
    fn standing(&self, trigger: &DurationTrigger) -> RunStep {
        if let Some(due_at) = self.due_at(trigger) {
            return RunStep::Watching { due_at };
        }
        let newest = self.started_at.max(self.ended_at);
        RunStep::Ended(match self.fired_for {
            Some(fired) if Some(fired) == self.started_at || Some(fired) == newest => {
                WatchEnd::FiredBefore
            }
            _ if self.withheld_for.is_some() && self.withheld_for == self.started_at => {
                WatchEnd::Withheld
            }
            _ => WatchEnd::NothingNew,
        })
    }

    fn ended(
        &mut self,
        trigger: &DurationTrigger,
        at: Timestamp,
        took_ms: Option<u64>,
        may_fire: bool,
    ) -> RunStep {
        let is_news = self.ended_at.is_none_or(|known| known < at);
        let was_open = self.started_at.filter(|start| self.ended_at.is_none_or(|end| end < *start));
        if is_news {
            self.ended_at = Some(at);
        }
        match was_open {
            // The end of an earlier opening; this one goes on.
            Some(start) if at < start => self.standing(trigger),
            Some(start) if self.fired_for == Some(start) => RunStep::Ended(WatchEnd::FiredBefore),
            Some(start) if self.withheld_for == Some(start) => RunStep::Ended(WatchEnd::Withheld),
            // Its time passed while nobody looked: the host was down, say.
            Some(start) if at.duration_since(start) > trigger.threshold() => {
                self.fired_for = Some(start);
                RunStep::Fire { elapsed_ms: elapsed_ms(start, at) }
            }
            Some(_) => RunStep::Ended(WatchEnd::InTime),
            None if !is_news => self.standing(trigger),
            // It was never watched: only the event itself can tell.
            None => match took_ms {
                Some(took_ms) if took_ms > trigger.threshold_ms && may_fire => {
                    self.fired_for = Some(at);
                    RunStep::Fire { elapsed_ms: took_ms }
                }
                Some(took_ms) if took_ms <= trigger.threshold_ms => {
                    RunStep::Ended(WatchEnd::InTime)
                }
                _ => RunStep::Ended(WatchEnd::NothingNew),
            },
        }
    }

    /// Takes in what is known of the same run from elsewhere, as if both had been told
    /// here. Says whether the newest start is from there.
    pub(super) fn merge(&mut self, other: &Self) -> bool {
        let has_newer_start = other.started_at > self.started_at;
        if has_newer_start {
            self.started_at = other.started_at;
            self.came_in_at = other.came_in_at;
        }
        self.ended_at = self.ended_at.max(other.ended_at);
        self.fired_for = self.fired_for.max(other.fired_for);
        self.withheld_for = self.withheld_for.max(other.withheld_for);
        has_newer_start
    }

    /// The start since which the run goes on, while it is watched.
    pub(super) fn watched(&self) -> Option<Timestamp> {
        let start = self.started_at?;
        let is_open = self.ended_at.is_none_or(|end| end < start);
        let is_told = [self.fired_for, self.withheld_for].contains(&Some(start));
        (is_open && !is_told).then_some(start)
    }

    /// When the threshold passes for a run that is watched.
    pub(super) fn due_at(&self, trigger: &DurationTrigger) -> Option<Timestamp> {
        let from = self.watched().and(self.waited_from())?;
        Some(from.saturating_add(trigger.threshold()).unwrap_or(Timestamp::MAX))
    }

    fn waited_from(&self) -> Option<Timestamp> {
        self.came_in_at.or(self.started_at)
    }

    /// The threshold has passed at `now`: fire, once. Says how long the run has
    /// been going, in milliseconds; none when there is nothing to fire.
    pub(super) fn fire(&mut self, trigger: &DurationTrigger, now: Timestamp) -> Option<u64> {
        if self.due_at(trigger)? > now {
            return None;
        }
        self.fired_for = self.started_at;
        Some(elapsed_ms(self.waited_from()?, now))
    }
}

fn elapsed_ms(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::*;
    use crate::trigger::RunKey;

    const TRIGGER: DurationTrigger = DurationTrigger { threshold_ms: 10_000 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Told as it happens.
    fn sighting(second: i64, phase: RunPhase) -> RunSighting {
        RunSighting {
            run: RunKey::new(None, "r").unwrap(),
            at: at(second),
            received_at: at(second),
            phase,
        }
    }

    fn started(second: i64) -> RunSighting {
        sighting(second, RunPhase::Started)
    }

    fn ended(second: i64, took_ms: Option<u64>) -> RunSighting {
        sighting(second, RunPhase::Ended { took_ms })
    }

    fn observe(watch: &mut RunWatch, sighting: &RunSighting) -> RunStep {
        watch.observe(&TRIGGER, sighting, true)
    }

    #[test]
    fn a_run_that_never_ends_fires_once_at_the_threshold() {
        let mut watch = RunWatch::default();
        assert_eq!(observe(&mut watch, &started(100)), RunStep::Watching { due_at: at(110) });
        assert_eq!(watch.fire(&TRIGGER, at(109)), None, "not early");
        assert_eq!(watch.fire(&TRIGGER, at(112)), Some(12_000));
        assert_eq!(watch.fire(&TRIGGER, at(113)), None, "once");
        assert_eq!(observe(&mut watch, &started(100)), RunStep::Ended(WatchEnd::FiredBefore));
        let end = observe(&mut watch, &ended(120, Some(20_000)));
        assert_eq!(end, RunStep::Ended(WatchEnd::FiredBefore));
    }

    #[test]
    fn a_run_that_ends_in_time_never_fires_in_whatever_order_it_is_told() {
        for order in [[started(100), ended(105, None)], [ended(105, None), started(100)]] {
            let mut watch = RunWatch::default();
            for sighting in &order {
                observe(&mut watch, sighting);
            }
            assert_eq!(watch.due_at(&TRIGGER), None);
            assert_eq!(watch.fire(&TRIGGER, at(1000)), None);
        }
    }

    #[test]
    fn an_end_after_the_threshold_fires_if_the_timer_did_not() {
        let mut watch = RunWatch::default();
        observe(&mut watch, &started(100));
        assert_eq!(observe(&mut watch, &ended(111, None)), RunStep::Fire { elapsed_ms: 11_000 });
        let again = observe(&mut watch, &ended(111, None));
        assert_eq!(again, RunStep::Ended(WatchEnd::FiredBefore));
    }

    #[test]
    fn an_end_without_a_known_start_fires_once_by_its_own_figure() {
        let mut watch = RunWatch::default();
        let late = ended(200, Some(10_001));
        assert_eq!(observe(&mut watch, &late), RunStep::Fire { elapsed_ms: 10_001 });
        assert_eq!(observe(&mut watch, &late), RunStep::Ended(WatchEnd::FiredBefore));
        assert_eq!(observe(&mut watch, &started(150)), RunStep::Ended(WatchEnd::FiredBefore));
        let mut watch = RunWatch::default();
        let in_time = ended(200, Some(10_000));
        assert_eq!(observe(&mut watch, &in_time), RunStep::Ended(WatchEnd::InTime));
    }

    #[test]
    fn a_run_opened_again_is_watched_anew() {
        let mut watch = RunWatch::default();
        for sighting in [started(100), ended(105, None)] {
            observe(&mut watch, &sighting);
        }
        assert_eq!(observe(&mut watch, &started(200)), RunStep::Watching { due_at: at(210) });
        let late = observe(&mut watch, &ended(105, None));
        assert_eq!(late, RunStep::Watching { due_at: at(210) }, "that was the opening before");
        assert!(watch.fire(&TRIGGER, at(210)).is_some());
    }

    #[test]
    fn a_run_for_which_the_condition_does_not_hold_is_not_watched() {
        let mut watch = RunWatch::default();
        let step = watch.observe(&TRIGGER, &started(100), false);
        assert_eq!(step, RunStep::Ended(WatchEnd::Withheld));
        assert_eq!(watch.fire(&TRIGGER, at(1000)), None);
        let end = observe(&mut watch, &ended(200, Some(100_000)));
        assert_eq!(end, RunStep::Ended(WatchEnd::Withheld), "though it holds for the end");
    }

    #[test]
    fn a_start_that_is_told_with_a_time_to_come_is_waited_for_from_when_it_came_in() {
        let ahead =
            |second: i64, phase| RunSighting { received_at: at(100), ..sighting(second, phase) };
        let mut watch = RunWatch::default();
        let step = observe(&mut watch, &ahead(3_000, RunPhase::Started));
        assert_eq!(step, RunStep::Watching { due_at: at(110) });
        assert_eq!(watch.clone().fire(&TRIGGER, at(110)), Some(10_000), "and not 48 minutes later");
        // The same clock says when it ended, so its order and its length hold.
        let end = observe(&mut watch, &ahead(3_005, RunPhase::Ended { took_ms: None }));
        assert_eq!(end, RunStep::Ended(WatchEnd::InTime));
        let again = observe(&mut watch, &ahead(3_000, RunPhase::Started));
        assert!(matches!(again, RunStep::Ended(_)), "told in the wrong order: {again:?}");
    }

    #[test]
    fn two_halves_of_what_was_told_make_one_watch() {
        let (mut start, mut end) = (RunWatch::default(), RunWatch::default());
        observe(&mut start, &started(100));
        observe(&mut end, &ended(105, None));
        for (mut into, other, is_newer) in
            [(start.clone(), &end, false), (end.clone(), &start, true)]
        {
            assert_eq!(into.merge(other), is_newer);
            assert_eq!(into.due_at(&TRIGGER), None, "it ended");
        }
        let mut fired = start.clone();
        fired.fire(&TRIGGER, at(200));
        assert!(!start.merge(&fired));
        assert_eq!(start.due_at(&TRIGGER), None, "it was told");
    }

    #[test]
    fn a_watch_that_an_older_release_wrote_reads() {
        let written = r#"{"started_at":"1970-01-01T00:01:40Z","ended_at":null,"fired_for":null}"#;
        let watch: RunWatch = serde_json::from_str(written).unwrap();
        assert_eq!(watch.due_at(&TRIGGER), Some(at(110)));
    }

    proptest! {
        /// Starts and ends of one opening in any order, with repetitions.
        #[test]
        fn disorder_and_repetition_change_nothing(
            order in prop::collection::vec(prop_oneof![Just(true), Just(false)], 1..12),
            end in 101..109i64,
        ) {
            let mut watch = RunWatch::default();
            for is_start in &order {
                let sighting = if *is_start { started(100) } else { ended(end, None) };
                let step = observe(&mut watch, &sighting);
                let fired = matches!(step, RunStep::Fire { .. });
                prop_assert!(!fired);
            }
            let was_ended = order.contains(&false);
            prop_assert_eq!(watch.due_at(&TRIGGER).is_some(), !was_ended);
        }
    }
}
