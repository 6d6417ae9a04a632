//! How one endpoint is spared after its target said "too many requests": it rests for
//! as long as it asked for, and afterwards starts are spaced so far apart that it
//! does not have to say so again. Pure bookkeeping, as the circuit breaker is.

use std::time::Duration;

use alerts_domain::Timestamp;

/// The first rest of a target that does not say how long; doubled each time it must
/// ask again without having taken anything.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest rest: an hour, however much was asked for. Deliveries wait as long as the
/// header says; this only bounds for how long nobody looks whether it is well again.
const MAX_REST: Duration = Duration::from_secs(60 * 60);
/// Share of a rest that is added by chance, so that hosts do not come back together.
const JITTER: f64 = 0.2;
/// The longest time between two starts.
const MAX_SPACING: Duration = Duration::from_secs(60);
/// Spacing below this holds nothing back.
const MIN_SPACING: Duration = Duration::from_millis(1);

/// What is remembered of an endpoint whose target limits its callers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest {
    /// Nothing starts before.
    until: Timestamp,
    /// At least this much between two starts.
    spacing: Duration,
    next_start_at: Timestamp,
    /// When it last asked for a rest.
    asked_at: Timestamp,
    /// How many it has taken since the last rest.
    taken: u32,
    /// Rests since it last took anything.
    in_a_row: u32,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            until: Timestamp::MIN,
            spacing: Duration::ZERO,
            next_start_at: Timestamp::MIN,
            asked_at: Timestamp::MIN,
            taken: 0,
            in_a_row: 0,
        }
    }
}

impl Rest {
    /// The target wants to be left alone for `wait`, or does not say for how long.
    /// `jitter` is from the unit interval.
    pub(super) fn begin(&mut self, wait: Option<Duration>, now: Timestamp, jitter: f64) {
        let unsaid = FIRST_REST.saturating_mul(1 << self.in_a_row.min(16));
        let wait = wait.unwrap_or(unsaid).min(MAX_REST);
        let until = later(now, wait.mul_f64(1.0 + JITTER * jitter.clamp(0.0, 1.0)));
        if !self.is_resting(now) {
            // What it took before it said so is about what it takes in such a time.
            let observed = wait / self.taken.saturating_add(1);
            self.spacing = self.spacing.saturating_mul(2).max(observed).min(MAX_SPACING);
            self.in_a_row = self.in_a_row.saturating_add(1);
            self.taken = 0;
        }
        self.asked_at = now;
        // The others that were on their way when the first was told: no news.
        self.until = self.until.max(until);
    }

    /// The target took one.
    pub(super) fn taken(&mut self) {
        self.taken = self.taken.saturating_add(1);
        self.in_a_row = 0;
        self.spacing = self.spacing.mul_f64(0.9);
        if self.spacing < MIN_SPACING {
            self.spacing = Duration::ZERO;
        }
    }

    /// One has started.
    pub(super) fn started(&mut self, now: Timestamp) {
        if self.is_long_ago(now) {
            self.spacing = Duration::ZERO;
        }
        self.next_start_at = later(now, self.spacing);
    }

    /// When the next one may start: now, or later.
    pub(super) fn earliest(&self, now: Timestamp) -> Timestamp {
        self.until.max(self.next_start_at).max(now)
    }

    /// Whether the target has asked for a rest that is not over.
    pub(super) fn is_resting(&self, now: Timestamp) -> bool {
        self.until > now
    }

    /// The clock was set back to `now`: nothing waits for its old time.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.until = self.until.min(later(now, FIRST_REST));
        self.next_start_at = self.next_start_at.min(later(now, self.spacing));
        self.asked_at = self.asked_at.min(now);
    }

    /// Whether it holds nothing worth remembering.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        (self.spacing.is_zero() || self.is_long_ago(now)) && self.earliest(now) <= now
    }

    /// Whether it asked for a rest so long ago that by now it takes what it takes of
    /// anybody.
    fn is_long_ago(&self, now: Timestamp) -> bool {
        later(self.asked_at, MAX_REST) < now
    }
}

fn later(from: Timestamp, wait: Duration) -> Timestamp {
    from.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + ms).unwrap()
    }

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn nothing_starts_before_the_time_that_was_asked_for_and_some_chance_comes_on_top() {
        let mut rest = Rest::default();
        rest.begin(seconds(10), at(0), 0.0);
        assert_eq!(rest.earliest(at(0)), at(10_000));
        let mut rest = Rest::default();
        rest.begin(seconds(10), at(0), 1.0);
        assert_eq!(rest.earliest(at(0)), at(12_000));
    }

    #[test]
    fn a_target_that_asked_for_a_rest_long_ago_is_not_spared_any_more() {
        let mut rest = Rest::default();
        rest.begin(seconds(10), at(0), 0.0);
        let hour = 3_600_000;
        rest.started(at(hour));
        assert_eq!(rest.earliest(at(hour)), at(hour + 10_000));
        rest.started(at(2 * hour));
        assert_eq!(rest.earliest(at(2 * hour)), at(2 * hour));
    }

    #[test]
    fn a_target_that_does_not_say_how_long_rests_longer_each_time() {
        let mut rest = Rest::default();
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..4 {
            rest.begin(None, now, 0.0);
            waits.push(rest.until.duration_since(now).as_secs());
            now = rest.until;
        }
        assert_eq!(waits, [1, 2, 4, 8]);
        rest.taken();
        rest.begin(None, now, 0.0);
        assert_eq!(rest.until.duration_since(now).as_secs(), 1, "it had recovered");
    }

    #[test]
    fn several_that_were_on_their_way_count_as_one_request_to_rest() {
        let mut rest = Rest::default();
        rest.begin(None, at(0), 0.0);
        for _ in 0..30 {
            rest.begin(None, at(1), 0.0);
        }
        assert!(rest.earliest(at(1)) < at(3_000), "{rest:?}");
    }

    #[test]
    fn nobody_rests_for_longer_than_an_hour() {
        let mut rest = Rest::default();
        rest.begin(seconds(86_400), at(0), 0.0);
        assert_eq!(rest.earliest(at(0)), at(3_600_000));
    }

    /// A target that takes one a second, five at once after a pause, and asks for two
    /// seconds otherwise: what a chat service does.
    #[test]
    fn a_target_that_takes_one_a_second_is_seldom_asked_in_vain() {
        let mut rest = Rest::default();
        let (mut now, mut tokens, mut filled_at) = (at(0), 5.0_f64, at(0));
        let (mut taken, mut refused) = (0, 0);
        while taken < 100 {
            now = rest.earliest(now).max(later(now, Duration::from_millis(5)));
            let passed = now.duration_since(filled_at).as_secs_f64();
            (tokens, filled_at) = ((tokens + passed).min(5.0), now);
            rest.started(now);
            if tokens >= 1.0 {
                tokens -= 1.0;
                taken += 1;
                rest.taken();
            } else {
                refused += 1;
                rest.begin(seconds(2), now, 0.5);
            }
        }
        assert!(refused <= 25, "{refused} refused of 100 taken");
        let took = now.duration_since(at(0)).as_secs();
        assert!(took < 200, "{took} s");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_rest_longer() {
        let mut rest = Rest::default();
        rest.begin(seconds(10), at(0), 0.0);
        let earlier = at(-900_000);
        rest.set_back(earlier);
        assert!(rest.earliest(earlier) <= later(earlier, FIRST_REST));
    }

    #[test]
    fn it_is_forgotten_once_it_holds_nothing_back() {
        let mut rest = Rest::default();
        assert!(rest.is_idle(at(0)));
        rest.begin(seconds(10), at(0), 0.0);
        assert!(!rest.is_idle(at(0)));
        assert!(!rest.is_idle(at(10_000)), "it is still spaced");
        (0..200).for_each(|_| rest.taken());
        assert!(rest.is_idle(at(10_000)));
    }
}
