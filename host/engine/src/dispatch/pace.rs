//! A rate limit in force: the generic cell rate algorithm (ITU-T I.371), one
//! timestamp of state for each limit.

use alerts_domain::Timestamp;
use alerts_domain::rate_limit::RateLimit;

/// When the next one would be due if they came evenly, in microseconds.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Pace(i64);

impl Pace {
    /// When one more may start: now, or later.
    pub(super) fn earliest(&self, limit: RateLimit, now: Timestamp) -> Timestamp {
        let slack = spacing_us(limit) * (i64::from(limit.burst.unwrap_or(limit.per_minute)) - 1);
        let at = Timestamp::from_microsecond(self.0.saturating_sub(slack)).unwrap_or(now);
        at.max(now)
    }

    /// Counts one that starts now.
    pub(super) fn count(&mut self, limit: RateLimit, now: Timestamp) {
        self.0 = self.0.max(now.as_microsecond()).saturating_add(spacing_us(limit));
    }
}

fn spacing_us(limit: RateLimit) -> i64 {
    60_000_000 / i64::from(limit.per_minute.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_burst_they_start_evenly() {
        let limit = RateLimit { per_minute: 60, burst: Some(2) };
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let mut pace = Pace::default();
        for _ in 0..2 {
            assert_eq!(pace.earliest(limit, at(1_000_000)), at(1_000_000));
            pace.count(limit, at(1_000_000));
        }
        assert_eq!(pace.earliest(limit, at(1_000_000)), at(1_001_000));
        pace.count(limit, at(1_001_000));
        assert_eq!(pace.earliest(limit, at(1_001_000)), at(1_002_000));
    }
}
