//! A circuit breaker for one plugin: when call after call fails, the plugin is
//! left alone for a while, so that a broken file does not keep the threads busy.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alerts_domain::Timestamp;

use crate::fault::Fault;

/// Failures in a row, over all tenants, that mean the plugin and not its input
/// is at fault.
const FAILURES: u32 = 32;
/// Short, since one tenant's odd settings may look like a broken plugin to the others.
const REST: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct CircuitBreaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone)]
struct Open {
    since: Timestamp,
    rests_until: Instant,
    fault: Fault,
}

/// What a result has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    Closed,
}

/// A circuit that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenCircuit {
    pub(crate) since: Timestamp,
    /// How long the plugin still rests; none when the next call will try it.
    pub(crate) rest: Option<Duration>,
    /// The last failure.
    pub(crate) fault: Fault,
}

impl CircuitBreaker {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the plugin still rests. After its rest one caller is let
    /// through to try it, and its result decides.
    pub(crate) fn rest(&self, now: Instant) -> Option<Duration> {
        let mut state = self.lock();
        let open = state.open.as_mut()?;
        if now < open.rests_until {
            return Some(open.rests_until - now);
        }
        open.rests_until = now + REST;
        None
    }

    /// How a call ended, and whether that opens or closes the circuit.
    pub(crate) fn record(&self, ended: Result<(), &Fault>, now: Instant) -> Option<Change> {
        let mut state = self.lock();
        let Err(fault) = ended else {
            state.failures = 0;
            return state.open.take().map(|_| Change::Closed);
        };
        state.failures = state.failures.saturating_add(1);
        if state.failures < FAILURES {
            return None;
        }
        let was_open = state.open.as_ref().map(|open| open.since);
        let since = was_open.unwrap_or_else(Timestamp::now);
        state.open = Some(Open { since, rests_until: now + REST, fault: fault.clone() });
        was_open.is_none().then_some(Change::Opened)
    }

    /// As people look at it; none when it is closed.
    pub(crate) fn open(&self, now: Instant) -> Option<OpenCircuit> {
        let Open { since, rests_until, fault } = self.lock().open.clone()?;
        let rest = (now < rests_until).then(|| rests_until - now);
        Some(OpenCircuit { since, rest, fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault() -> Fault {
        Fault::Trap { cause: "unreachable".into() }
    }

    #[test]
    fn a_storm_of_failures_opens_it_and_one_success_closes_it() {
        let breaker = CircuitBreaker::default();
        let start = Instant::now();
        for nth in 1..=FAILURES {
            assert_eq!(breaker.rest(start), None);
            let change = breaker.record(Err(&fault()), start);
            assert_eq!(change, (nth == FAILURES).then_some(Change::Opened));
        }
        assert_eq!(breaker.rest(start), Some(REST));
        let told = breaker.open(start).unwrap();
        assert_eq!((told.rest, &told.fault), (Some(REST), &fault()));

        let rested = start + REST;
        assert_eq!(breaker.open(rested).unwrap().rest, None, "looking at it is no call");
        assert_eq!(breaker.rest(rested), None, "one is let through");
        assert_eq!(breaker.rest(rested), Some(REST), "and only one");
        assert_eq!(breaker.record(Err(&fault()), rested), None, "it was open before");
        assert_eq!(breaker.open(rested).unwrap().since, told.since);
        assert_eq!(breaker.record(Ok(()), rested), Some(Change::Closed));
        assert_eq!((breaker.rest(rested), breaker.open(rested)), (None, None));
    }

    #[test]
    fn failures_between_successes_do_not_add_up() {
        let breaker = CircuitBreaker::default();
        let now = Instant::now();
        for _ in 0..FAILURES * 2 {
            breaker.record(Err(&fault()), now);
            assert_eq!(breaker.record(Ok(()), now), None);
        }
        assert_eq!(breaker.rest(now), None);
    }
}
