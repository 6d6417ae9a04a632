//! The loop that brings new deliveries into the indexes that lists answer from.

use std::time::Duration;

use alerts_store::Store;

use super::POLL;
use super::supervisor::{BackgroundLoop, Pulse};
use crate::error::EngineError;

/// Deliveries in one commit: some milliseconds of the database's one writer. Fewer are
/// not brought in, so a list walks over this many at most on a host that is not busy.
const PORTION: u32 = 500;
/// Left to intake between two portions.
const PAUSE: Duration = Duration::from_millis(20);

/// Brings deliveries into indexes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ListingLoop {
    pub(crate) store: Store,
}

impl ListingLoop {
    /// Brings in all that make a full portion, with a beat for each.
    ///
    /// # Errors
    /// The database; what was brought in before stays so.
    pub(crate) async fn list(&self, beat: impl Fn()) -> Result<(), EngineError> {
        beat();
        while self.store.list_deliveries_behind(PORTION).await? {
            beat();
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

impl BackgroundLoop for ListingLoop {
    const NAME: &'static str = "listing";
    /// Of one portion.
    const SILENT_AFTER: Duration = Duration::from_secs(60);

    async fn round(&mut self, pulse: &Pulse) {
        if let Err(error) = self.list(|| pulse.beat()).await {
            tracing::warn!(%error, "new deliveries are not in the indexes yet; trying again");
        }
    }

    async fn rest(&mut self) {
        // By the machine's clock: it is the database that is spared.
        tokio::time::sleep(POLL).await;
    }
}
