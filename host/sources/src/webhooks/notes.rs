//! How each webhook in goes, noted in the database: at once where that changes, and else now
//! and then, so that a busy source costs no commit for each request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use alerts_domain::Timestamp;
use alerts_domain::id::SourceId;
use alerts_store::Store;
use jiff::SignedDuration;

use crate::status::{SourceStatus, Trouble};

/// How old what is noted of a source that goes as before may be.
const AT_MOST_EVERY: SignedDuration = SignedDuration::from_secs(10);
/// Sources that are remembered; beyond that all are noted once more.
const MAX_SOURCES: usize = 10_000;

/// What was noted of each source by this host.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<HashMap<SourceId, Noted>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Noted {
    at: Timestamp,
    /// None when all was well.
    trouble: Option<String>,
}

impl Notes {
    /// Notes what became of a request: `trouble` is a word for what went wrong, and what to do
    /// about it.
    pub(super) async fn note(
        &self,
        store: &Store,
        id: SourceId,
        before: Option<&str>,
        trouble: Option<(&'static str, String)>,
        now: Timestamp,
    ) {
        let kind = trouble.as_ref().map(|(kind, _)| (*kind).to_owned());
        if !self.is_due(id, &kind, now) {
            return;
        }
        let mut status = before.and_then(SourceStatus::read).unwrap_or_default();
        status.last_poll_at = Some(now);
        if trouble.is_none() {
            status.last_success_at = Some(now);
        }
        let was_since = status.trouble.as_ref().filter(|was| Some(&was.kind) == kind.as_ref());
        let since = was_since.map_or(now, |was| was.since);
        status.trouble = trouble.map(|(kind, detail)| Trouble {
            kind: kind.to_owned(),
            detail,
            since,
            is_told: false,
        });
        let Ok(status) = serde_json::to_string(&status) else { return };
        if let Err(error) = store.note_webhook_source(id, &status).await {
            tracing::warn!(source = %id, %error, "how a source goes could not be noted");
        }
    }

    fn is_due(&self, id: SourceId, trouble: &Option<String>, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = noted.get(&id).is_some_and(|noted| {
            noted.trouble == *trouble && now.duration_since(noted.at).abs() < AT_MOST_EVERY
        });
        if is_fresh {
            return false;
        }
        if noted.len() >= MAX_SOURCES {
            noted.clear();
        }
        noted.insert(id, Noted { at: now, trouble: trouble.clone() });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_as_before_is_noted_now_and_then_and_a_change_at_once() {
        let notes = Notes::default();
        let (id, now) = (SourceId::new(Timestamp::UNIX_EPOCH, 1), Timestamp::UNIX_EPOCH);
        let wrong = Some("unauthorized".to_owned());
        assert!(notes.is_due(id, &None, now));
        assert!(!notes.is_due(id, &None, now));
        assert!(notes.is_due(id, &wrong, now));
        assert!(!notes.is_due(id, &wrong, now));
        assert!(notes.is_due(id, &wrong, now + AT_MOST_EVERY));
        for other in 0..MAX_SOURCES as u128 {
            notes.is_due(SourceId::new(now, 2 + other), &None, now);
        }
        assert!(notes.0.lock().unwrap().len() <= MAX_SOURCES);
    }
}
