//! What keeps a host from being ready, and when the log is told of it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use alerts_domain::Timestamp;

/// A part that does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Which part; names no tenant.
    pub(crate) part: &'static str,
    /// What is wrong with it, in words for everybody: no key is asked for.
    pub(crate) detail: String,
}

impl Trouble {
    pub(crate) fn new(part: &'static str, detail: impl Into<String>) -> Self {
        Self { part, detail: detail.into() }
    }
}

/// How often the log tells of what is still the same.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// What the log was told last. Anybody may ask whether the host is ready, as often as
/// they like, and must not fill the log with it.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Option<(BTreeSet<&'static str>, Timestamp)>>);

impl Told {
    /// Whether these troubles are news: other parts than last time, or the same for
    /// long.
    fn is_news(&self, troubles: &[Trouble], now: Timestamp) -> bool {
        let parts: BTreeSet<_> = troubles.iter().map(|trouble| trouble.part).collect();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = match &*told {
            None => !parts.is_empty(),
            Some((before, at)) => {
                // A clock that was set back silences nothing for long.
                *before != parts || now.duration_since(*at).unsigned_abs() >= TELL_AGAIN
            }
        };
        if is_news {
            *told = (!parts.is_empty()).then_some((parts, now));
        }
        is_news
    }

    /// Tells the log, if there is news.
    pub(crate) fn tell(&self, troubles: &[Trouble], now: Timestamp) {
        if !self.is_news(troubles, now) {
            return;
        }
        if troubles.is_empty() {
            tracing::info!("ready again");
        }
        for Trouble { part, detail } in troubles {
            tracing::warn!(part, detail, "not ready");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_of_a_change_and_once_a_minute() {
        let told = Told::default();
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let trouble = |part, detail: &str| vec![Trouble::new(part, detail)];
        assert!(!told.is_news(&[], at(0)));
        assert!(told.is_news(&trouble("writer", "nothing for 11 seconds"), at(1)));
        assert!(!told.is_news(&trouble("writer", "nothing for 12 seconds"), at(2)));
        assert!(!told.is_news(&trouble("writer", "nothing for 70 seconds"), at(60)));
        assert!(told.is_news(&trouble("writer", "nothing for 71 seconds"), at(61)));
        assert!(told.is_news(&trouble("database", "it does not answer"), at(62)));
        assert!(told.is_news(&[], at(63)), "it is ready again");
        assert!(!told.is_news(&[], at(200)));
    }
}
