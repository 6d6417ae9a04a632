//! What is committed in groups: events that come in, and how attempts ended.

use std::sync::Arc;

use crate::accept::StoredId;
use crate::error::StoreError;
use crate::finished::{Ended, FinishOutcome, Finished};
use crate::new_event::NewEvent;
use crate::open::Store;

impl Store {
    /// Stores events, all or none, and says which of them were new. When this
    /// returns they are on the disk.
    pub async fn accept(&self, events: Vec<NewEvent>) -> Result<Vec<StoredId>, StoreError> {
        self.writer().accept(events).await
    }

    /// Writes down how an attempt ended, if its lease still holds.
    pub async fn finish(
        &self,
        finished: impl Into<Arc<Finished>>,
    ) -> Result<FinishOutcome, StoreError> {
        self.writer().finish(Ended::new(finished.into())).await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn a_write_that_panics_is_refused_alone_and_the_writer_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("alerts.db").display());
        let store = Store::open(&url).await.unwrap();
        let writer = store.writer();
        // Nothing to store, but part of the same groups.
        let others = join_all((0..20).map(|_| writer.accept(Vec::new())));
        let (refused, others) = tokio::join!(writer.panic(), others);
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StoreError::Panicked(_)), "{refused}");
        assert!(!refused.is_unavailable());
        assert!(others.iter().all(Result::is_ok));
        assert!(store.writer_health().last_error.is_none(), "the last one was committed");
        writer.panic().await.unwrap_err();
        let error = store.writer_health().last_error.unwrap();
        assert!(error.contains("a mistake of ours"), "{error}");
        assert_eq!(store.writer_health().waiting_for, None);
        writer.accept(Vec::new()).await.unwrap();
    }
}
