//! A rate limit in force: the generic cell rate algorithm (ITU-T I.371), one
//! timestamp of state for each limit.

use std::fmt;
use std::str::FromStr;

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;

/// What a rate limit is on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// All deliveries of this host.
    Host,
    /// A tenant's.
    Tenant(TenantId),
    /// An endpoint's.
    Endpoint(EndpointId),
    /// A rule's.
    Rule(RuleId),
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Tenant(id) => write!(f, "tenant:{id}"),
            Self::Endpoint(id) => write!(f, "endpoint:{id}"),
            Self::Rule(id) => write!(f, "rule:{id}"),
        }
    }
}

impl FromStr for Limited {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` names nothing that has a rate limit");
        match text.split_once(':') {
            None if text == "host" => Ok(Self::Host),
            Some(("tenant", id)) => TenantId::new(id).map(Self::Tenant).map_err(|_| unknown()),
            Some(("endpoint", id)) => id.parse().map(Self::Endpoint).map_err(|_| unknown()),
            Some(("rule", id)) => id.parse().map(Self::Rule).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

/// Limits of at most so many a minute are kept on the disk before each start, since one
/// alert more after a crash is much of what they allow.
const SLOW_PER_MINUTE: u32 = 60;

/// Whether a crash must not cost even one start that was not counted.
pub(crate) fn is_slow(limit: RateLimit) -> bool {
    limit.per_minute <= SLOW_PER_MINUTE
}

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

    /// When it holds nothing back any more.
    pub(super) fn free_at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX)
    }

    /// One that was kept.
    pub(super) fn from_free_at(free_at: Timestamp) -> Self {
        Self(free_at.as_microsecond())
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
    fn a_limiter_that_was_kept_goes_on_where_it_was() {
        let limit = RateLimit { per_minute: 1, burst: Some(1) };
        let mut pace = Pace::default();
        pace.count(limit, at(0));
        let mut kept = Pace::from_free_at(pace.free_at());
        assert_eq!(kept.earliest(limit, at(10_000)), at(60_000));
    }

    #[test]
    fn what_is_limited_reads_back_as_written() {
        let ids = [
            Limited::Host,
            Limited::Tenant(TenantId::new("payments:eu").unwrap()),
            Limited::Endpoint(EndpointId::new(at(0), 1)),
            Limited::Rule(RuleId::new(at(0), 2)),
        ];
        for limited in ids {
            assert_eq!(limited.to_string().parse(), Ok(limited));
        }
        assert!("lane:1".parse::<Limited>().is_err());
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
