//! Whether this host does its work, and which part of it does not.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_store::WriterHealth;

use crate::state::AppState;

/// How long a part may take to say how it is. Whoever asks, asks again soon.
const DEADLINE: Duration = Duration::from_secs(2);

/// A commit that takes longer than this is none: the store's own deadline is shorter.
const COMMIT_LATE: Duration = Duration::from_secs(10);
/// Most damaged rows that are named: whoever asks wants to know that there are some.
const MAX_REMARKS: usize = 10;

/// A part that does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Which part; names no tenant.
    pub(crate) part: &'static str,
    /// What is wrong with it, in words for everybody: no key is asked for.
    pub(crate) detail: String,
}

impl Trouble {
    fn new(part: &'static str, detail: impl Into<String>) -> Self {
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

/// The parts that do not work; none when the host is ready.
pub(crate) async fn troubles(state: &AppState) -> Vec<Trouble> {
    if state.stopping().is_cancelled() {
        return vec![Trouble::new("host", "it is shutting down")];
    }
    let mut troubles: Vec<Trouble> = database(state).await.into_iter().collect();
    troubles.extend(writer(state));
    let engine = state.engine().health().into_iter();
    troubles.extend(engine.map(|trouble| Trouble::new("engine", trouble.to_string())));
    troubles
}

/// Whether what is asked is committed.
fn writer(state: &AppState) -> Option<Trouble> {
    let WriterHealth { waiting_for, last_error } = state.store().writer_health();
    let waiting_for = waiting_for.filter(|waited| *waited > COMMIT_LATE)?;
    if let Some(error) = last_error {
        tracing::debug!(error, "the writer does not commit");
    }
    let detail = format!("nothing was committed for {} seconds", waiting_for.as_secs());
    Some(Trouble::new("writer", detail))
}

/// What does not keep the host from its work, and somebody should look at: stored rows
/// that do not read.
pub(crate) fn remarks(state: &AppState) -> Vec<String> {
    let damaged = state.store().damaged();
    let more = damaged.len().saturating_sub(MAX_REMARKS);
    let mut remarks: Vec<String> = damaged
        .into_iter()
        .take(MAX_REMARKS)
        .map(|row| format!("{} {} does not read, and is left out", row.table, row.id))
        .collect();
    if more > 0 {
        remarks.push(format!("and {more} more; see the log"));
    }
    remarks
}

async fn database(state: &AppState) -> Option<Trouble> {
    match tokio::time::timeout(DEADLINE, state.store().ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            tracing::debug!(%error, "the database does not answer");
            Some(Trouble::new("database", "it does not answer"))
        }
        Err(_) => {
            let detail = format!("it has not answered for {} seconds", DEADLINE.as_secs());
            Some(Trouble::new("database", detail))
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
