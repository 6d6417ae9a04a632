//! A rate limit in force: the generic cell rate algorithm (ITU-T I.371), one
//! timestamp of state for each limit.

use alerts_domain::Timestamp;
use alerts_domain::rate_limit::RateLimit;

/// When the next one would be due if they came evenly, in microseconds.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pace(i64);

impl Pace {
    /// When one more may start: now, or later.
    pub(super) fn earliest(&mut self, limit: RateLimit, now: Timestamp) -> Timestamp {
        let (spacing, burst) = (spacing_us(limit), burst(limit));
        // No further away than right after a whole burst: it could be only if the
        // clock was set back or the limit raised, and neither may stall anything.
        self.0 = self.0.min(now.as_microsecond().saturating_add(spacing * burst));
        let at = Timestamp::from_microsecond(self.0.saturating_sub(spacing * (burst - 1)));
        at.unwrap_or(now).max(now)
    }

    /// Counts one that starts now.
    pub(super) fn count(&mut self, limit: RateLimit, now: Timestamp) {
        let (spacing, now) = (spacing_us(limit), now.as_microsecond());
        let due = self.0.min(now.saturating_add(spacing * burst(limit)));
        self.0 = due.max(now).saturating_add(spacing);
    }

    /// Whether it holds nothing back, so that it need not be remembered.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        self.0 <= now.as_microsecond()
    }
}

fn spacing_us(limit: RateLimit) -> i64 {
    60_000_000 / i64::from(limit.per_minute.max(1))
}

fn burst(limit: RateLimit) -> i64 {
    i64::from(limit.burst.unwrap_or(limit.per_minute)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    #[test]
    fn after_the_burst_they_start_evenly() {
        let limit = RateLimit { per_minute: 60, burst: Some(2) };
        let mut pace = Pace::default();
        for _ in 0..2 {
            assert_eq!(pace.earliest(limit, at(1_000_000)), at(1_000_000));
            pace.count(limit, at(1_000_000));
        }
        assert_eq!(pace.earliest(limit, at(1_000_000)), at(1_001_000));
        pace.count(limit, at(1_001_000));
        assert_eq!(pace.earliest(limit, at(1_001_000)), at(1_002_000));
    }

    #[test]
    fn a_clock_that_is_set_back_stalls_nothing() {
        let limit = RateLimit { per_minute: 60, burst: Some(2) };
        let mut pace = Pace::default();
        for _ in 0..2 {
            pace.count(limit, at(10_000_000));
        }
        let earlier = |ms: i64| at(10_000_000 - 3_600_000 + ms);
        assert_eq!(pace.earliest(limit, earlier(0)), earlier(1_000));
        assert_eq!(pace.earliest(limit, earlier(1_000)), earlier(1_000));
        pace.count(limit, earlier(1_000));
        assert_eq!(pace.earliest(limit, earlier(1_000)), earlier(2_000));
    }

    #[test]
    fn it_is_forgotten_only_when_it_holds_nothing_back() {
        let limit = RateLimit { per_minute: 1, burst: Some(1) };
        let mut pace = Pace::default();
        pace.count(limit, at(0));
        assert!(!pace.is_idle(at(59_999)));
        assert!(pace.is_idle(at(60_000)));
    }
}
