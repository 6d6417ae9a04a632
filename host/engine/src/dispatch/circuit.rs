//! The circuit breaker of one endpoint, and how much may run towards it: pure
//! bookkeeping, the time and the jitter are arguments.
//!
//! A target that fails several times in a row is left alone for a while; then
//! one attempt is a probe. When it gets through, the lane widens with each
//! success, so that what has gathered meanwhile does not arrive as a storm; when
//! it does not, the target is left alone for longer. Kept in memory, each host
//! for itself: what one forgets at a restart costs a target a few attempts.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::exchange::{Outcome, TransportError, retry_after_ms};
use alerts_store::Finished;

use super::rest::Rest;

/// Attempts that run at once towards one endpoint, at most and to begin with.
pub(super) const MAX_WIDTH: usize = 32;
pub(super) const FIRST_WIDTH: usize = 4;
/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;
/// How long the first opening lasts, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The status of a target that limits its callers (RFC 6585, 4).
const TOO_MANY_REQUESTS: u16 = 429;
/// How long failures in a row are remembered while nothing else happens.
const MEMORY: Duration = Duration::from_secs(3600);

/// What an attempt has told about its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It answers, if only to refuse.
    Alive,
    /// It answers, and wants fewer requests: to be left alone for so long, if it says.
    Limited(Option<Duration>),
    /// No answer, or a server error.
    Failing,
    /// Nothing: it was not asked.
    Unknown,
}

impl Health {
    /// What the end of an attempt tells.
    pub(crate) fn of(finished: &Finished) -> Self {
        let exchanges = finished.attempt.iter().flat_map(|attempt| &attempt.exchanges);
        match exchanges.last().map(|exchange| &exchange.outcome) {
            Some(Outcome::Response(response)) if response.status == TOO_MANY_REQUESTS => {
                let wait_ms = retry_after_ms(&response.headers, finished.now);
                Self::Limited(wait_ms.map(Duration::from_millis))
            }
            Some(Outcome::Response(response)) if response.status >= 500 => Self::Failing,
            Some(Outcome::Response(_)) => Self::Alive,
            Some(Outcome::Failed(TransportError::Forbidden(_))) | None => Self::Unknown,
            Some(Outcome::Failed(_)) => Self::Failing,
        }
    }
}

/// Whether alerts go to an endpoint, as one host sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// They do.
    Closed,
    /// They wait: it failed too often in a row.
    Open {
        /// Since the first of the failures in a row that opened it; probes that failed
        /// since do not count.
        since: Timestamp,
        /// When the next one is tried.
        next_probe_at: Timestamp,
    },
    /// One is on its way, to see whether the target is back.
    HalfOpen {
        /// Since it opened, as above.
        since: Timestamp,
    },
}

/// Whether one more may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// Not before then.
    Until(Timestamp),
    /// Once something has ended.
    Full,
}

#[derive(Debug)]
pub(super) struct CircuitBreaker {
    state: CircuitState,
    /// In a row.
    failures: u32,
    /// Openings since the target was last well.
    openings: u32,
    last_failure: Timestamp,
    /// When the wait for the next probe began.
    waits_since: Timestamp,
    width: usize,
    is_proven: bool,
    rest: Rest,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            state: CircuitState::Closed,
            failures: 0,
            openings: 0,
            last_failure: Timestamp::MIN,
            waits_since: Timestamp::MIN,
            width: FIRST_WIDTH,
            is_proven: false,
            rest: Rest::default(),
        }
    }
}

impl CircuitBreaker {
    pub(super) fn state(&self) -> CircuitState {
        self.state
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == CircuitState::Closed
    }

    /// Whether the last that is known of the target is that it answers.
    pub(super) fn is_proven(&self) -> bool {
        self.is_proven && self.is_closed()
    }

    /// Whether the target has asked to be left alone for now.
    pub(super) fn is_resting(&self, now: Timestamp) -> bool {
        self.rest.is_resting(now)
    }

    /// Whether a probe may be sent.
    pub(super) fn wants_probe(&self, in_flight: usize, now: Timestamp) -> bool {
        !self.is_closed() && self.gate(in_flight, now) == Gate::Open
    }

    /// Whether one more may start beside those that run.
    pub(super) fn gate(&self, in_flight: usize, now: Timestamp) -> Gate {
        match self.state {
            CircuitState::Open { next_probe_at, .. } if now < next_probe_at => {
                Gate::Until(next_probe_at)
            }
            // What was sent before it opened is waited for, so that its end is
            // not taken for the probe's.
            CircuitState::Open { .. } | CircuitState::HalfOpen { .. } if in_flight > 0 => {
                Gate::Full
            }
            CircuitState::Closed if in_flight >= self.width => Gate::Full,
            _ if self.rest.earliest(now) > now => Gate::Until(self.rest.earliest(now)),
            _ => Gate::Open,
        }
    }

    /// One has started.
    pub(super) fn started(&mut self, now: Timestamp) {
        self.rest.started(now);
        if let CircuitState::Open { since, .. } = self.state {
            self.state = CircuitState::HalfOpen { since };
        }
    }

    /// One has ended. `jitter` is from the unit interval.
    pub(super) fn ended(&mut self, health: Health, now: Timestamp, jitter: f64) {
        match (health, self.state) {
            (Health::Limited(wait), _) => {
                self.failures = 0;
                self.is_proven = true;
                // It is well, and has enough: neither a failure nor a reason for more.
                self.width = (self.width / 2).max(1);
                self.rest.begin(wait, now, jitter);
                self.state = CircuitState::Closed;
            }
            (Health::Alive, state) => {
                self.rest.taken();
                self.failures = 0;
                self.is_proven = true;
                self.width = match state {
                    CircuitState::Closed => (self.width + 1).min(MAX_WIDTH),
                    _ => 1,
                };
                if self.width >= FIRST_WIDTH {
                    self.openings = 0;
                }
                self.state = CircuitState::Closed;
            }
            (Health::Failing, state) => {
                self.failures = self.failures.saturating_add(1);
                self.is_proven = false;
                self.last_failure = now;
                self.width = (self.width / 2).max(1);
                let opens = match state {
                    CircuitState::Closed => self.failures >= FAILURES,
                    CircuitState::HalfOpen { .. } => true,
                    // Sent before it opened: no news.
                    CircuitState::Open { .. } => false,
                };
                if opens {
                    self.openings = self.openings.saturating_add(1);
                    let wait = FIRST_WAIT.saturating_mul(1 << (self.openings - 1).min(16));
                    let wait = wait.min(MAX_WAIT).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
                    self.open(now, wait);
                }
            }
            // A probe that was not sent says nothing; the next one is.
            (Health::Unknown, CircuitState::HalfOpen { .. }) => self.open(now, FIRST_WAIT),
            (Health::Unknown, _) => {}
        }
    }

    fn open(&mut self, now: Timestamp, wait: Duration) {
        let next_probe_at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        let since = match self.state {
            CircuitState::Closed => now,
            CircuitState::Open { since, .. } | CircuitState::HalfOpen { since } => since.min(now),
        };
        self.state = CircuitState::Open { since, next_probe_at };
        self.waits_since = now;
    }

    /// The clock was set back to `now`: nothing waits for its old time.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        if let CircuitState::Open { next_probe_at, .. } = self.state {
            let wait = Duration::try_from(next_probe_at.duration_since(self.waits_since));
            self.open(now, wait.unwrap_or(FIRST_WAIT));
        }
        self.last_failure = self.last_failure.min(now);
        self.rest.set_back(now);
    }

    /// Whether it holds nothing worth remembering.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.last_failure);
        let is_old = Duration::try_from(age).is_ok_and(|age| age > MEMORY);
        (self.failures == 0 || is_old) && self.rest.is_idle(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + ms).unwrap()
    }

    /// One that has just opened, at time zero, for a second.
    fn open() -> CircuitBreaker {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..FAILURES {
            assert!(breaker.is_closed());
            breaker.ended(Health::Failing, at(0), 1.0);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let mut breaker = CircuitBreaker::default();
        for health in [Health::Failing, Health::Unknown, Health::Alive].repeat(20) {
            breaker.ended(health, at(0), 1.0);
            assert!(breaker.is_closed());
        }
        assert_eq!(open().gate(0, at(999)), Gate::Until(at(1000)));
    }

    #[test]
    fn one_probe_goes_and_nothing_beside_it() {
        let mut breaker = open();
        assert_eq!(breaker.gate(1, at(1000)), Gate::Full, "an older attempt is under way");
        assert_eq!(breaker.gate(0, at(1000)), Gate::Open);
        breaker.started(at(1000));
        assert_eq!(breaker.state(), CircuitState::HalfOpen { since: at(0) });
        assert_eq!(breaker.gate(1, at(1000)), Gate::Full);
    }

    #[test]
    fn a_probe_that_fails_closes_the_way_for_longer_up_to_a_minute() {
        let mut breaker = open();
        let mut waits = Vec::new();
        let mut now = at(1000);
        for _ in 0..8 {
            breaker.started(now);
            breaker.ended(Health::Failing, now, 1.0);
            let Gate::Until(until) = breaker.gate(0, now) else { panic!() };
            waits.push(until.duration_since(now).as_secs());
            now = until;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
        breaker.started(now);
        breaker.ended(Health::Failing, now, 0.0);
        assert_eq!(breaker.gate(0, now), Gate::Until(now + Duration::from_secs(30)), "jittered");
    }

    #[test]
    fn it_is_open_since_it_opened_and_not_since_the_last_probe() {
        let mut breaker = open();
        breaker.started(at(1000));
        breaker.ended(Health::Failing, at(1500), 1.0);
        let CircuitState::Open { since, .. } = breaker.state() else { panic!() };
        assert_eq!(since, at(0));
        breaker.started(at(3500));
        breaker.ended(Health::Alive, at(3500), 1.0);
        for _ in 0..FAILURES {
            breaker.ended(Health::Failing, at(9000), 1.0);
        }
        let CircuitState::Open { since, .. } = breaker.state() else { panic!() };
        assert_eq!(since, at(9000), "another time");
    }

    #[test]
    fn after_a_probe_that_got_through_the_lane_widens_with_each_success() {
        let mut breaker = open();
        breaker.started(at(1000));
        breaker.ended(Health::Alive, at(1001), 1.0);
        assert!(breaker.is_closed());
        let mut widths = Vec::new();
        for _ in 0..40 {
            widths.push((1..).find(|running| breaker.gate(*running, at(1001)) == Gate::Full));
            breaker.ended(Health::Alive, at(1001), 1.0);
        }
        assert_eq!(widths[..4], [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(widths[39], Some(MAX_WIDTH));
    }

    #[test]
    fn a_target_that_fails_now_and_then_gets_less_at_once() {
        let mut breaker = CircuitBreaker::default();
        for _ in 0..40 {
            breaker.ended(Health::Alive, at(0), 1.0);
        }
        breaker.ended(Health::Failing, at(0), 1.0);
        assert_eq!(breaker.gate(MAX_WIDTH / 2, at(0)), Gate::Full);
        assert_eq!(breaker.gate(MAX_WIDTH / 2 - 1, at(0)), Gate::Open);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_wait_longer() {
        let mut breaker = open();
        let earlier = at(-900_000);
        breaker.set_back(earlier);
        assert_eq!(breaker.gate(0, earlier), Gate::Until(earlier + Duration::from_secs(1)));
    }

    #[test]
    fn a_target_that_has_enough_rests_and_its_lane_does_not_widen() {
        let mut breaker = CircuitBreaker::default();
        let wait = Some(Duration::from_secs(7));
        for _ in 0..FAILURES * 2 {
            breaker.ended(Health::Limited(wait), at(0), 0.0);
        }
        assert!(breaker.is_closed() && breaker.is_proven(), "it answers");
        assert!(breaker.is_resting(at(6_999)) && !breaker.is_resting(at(7_000)));
        assert_eq!(breaker.gate(0, at(0)), Gate::Until(at(7_000)));
        assert_eq!(breaker.gate(1, at(7_000)), Gate::Full, "one at a time, to begin with");
    }

    #[test]
    fn a_probe_that_is_answered_with_too_many_requests_closes_the_circuit_and_rests_it() {
        let mut breaker = open();
        breaker.started(at(1000));
        breaker.ended(Health::Limited(Some(Duration::from_secs(3))), at(1000), 0.0);
        assert!(breaker.is_closed());
        assert_eq!(breaker.gate(0, at(1000)), Gate::Until(at(4000)));
    }

    #[test]
    fn a_probe_that_was_not_sent_is_followed_by_another() {
        let mut breaker = open();
        breaker.started(at(1000));
        breaker.ended(Health::Unknown, at(1000), 1.0);
        assert_eq!(breaker.gate(0, at(2000)), Gate::Open);
        assert!(!breaker.is_closed());
    }
}
