//! A circuit breaker for one plugin: when call after call fails, the plugin is
//! left alone for a while, so that a broken file does not keep the threads busy.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row, over all tenants, that mean the plugin and not its input
/// is at fault.
const FAILURES: u32 = 32;
/// Short, since one tenant's odd settings may look like a broken plugin to the others.
const REST: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
}

impl Breaker {
    /// How long the plugin still rests. After its rest one caller is let
    /// through to try it, and its result decides.
    pub(crate) fn rest(&self, now: Instant) -> Option<Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = state.rests_until?;
        if now < until {
            return Some(until - now);
        }
        state.rests_until = Some(now + REST);
        None
    }

    pub(crate) fn record(&self, succeeded: bool, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if succeeded {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.rests_until = Some(now + REST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_failures_opens_it_and_one_success_closes_it() {
        let breaker = Breaker::default();
        let start = Instant::now();
        for _ in 0..FAILURES {
            assert_eq!(breaker.rest(start), None);
            breaker.record(false, start);
        }
        assert_eq!(breaker.rest(start), Some(REST));

        let rested = start + REST;
        assert_eq!(breaker.rest(rested), None, "one is let through");
        assert_eq!(breaker.rest(rested), Some(REST), "and only one");
        breaker.record(true, rested);
        assert_eq!(breaker.rest(rested), None);
    }

    #[test]
    fn failures_between_successes_do_not_add_up() {
        let breaker = Breaker::default();
        let now = Instant::now();
        for _ in 0..FAILURES * 2 {
            breaker.record(false, now);
            breaker.record(true, now);
        }
        assert_eq!(breaker.rest(now), None);
    }
}
