//! The loop that adds up what commits have counted.

use std::time::{Duration, Instant};

use alerts_store::Store;

use super::supervisor::{BackgroundLoop, Pulse};
use crate::error::EngineError;

/// How old statistics may be that are shown, on a host that is not busy.
const EVERY: Duration = Duration::from_secs(1);
/// It rests for at least so many times as long as it took, so that it takes less than
/// three percent of the database's one writer, however much there is to add up.
const REST: u32 = 40;
/// The longest rest: statistics are never older than this.
const MAX_REST: Duration = Duration::from_secs(10);

/// Adds up what commits have counted. Cheap to clone.
#[derive(Clone)]
pub(crate) struct StatsLoop {
    store: Store,
    took: Duration,
}

impl StatsLoop {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, took: Duration::ZERO }
    }

    /// Adds up all that there is, with a beat for each portion.
    ///
    /// # Errors
    /// The database; what was not added up is, the next time.
    pub(crate) async fn add_up(&self, beat: impl Fn()) -> Result<(), EngineError> {
        beat();
        while self.store.add_up_stats().await? {
            beat();
        }
        Ok(())
    }
}

impl BackgroundLoop for StatsLoop {
    const NAME: &'static str = "stats";
    /// Of one portion.
    const SILENT_AFTER: Duration = Duration::from_secs(60);

    async fn round(&mut self, pulse: &Pulse) {
        let began = Instant::now();
        if let Err(error) = self.add_up(|| pulse.beat()).await {
            tracing::warn!(%error, "statistics could not be added up; trying again");
        }
        self.took = began.elapsed();
    }

    async fn rest(&mut self) {
        // By the machine's clock: it is the database that is spared.
        tokio::time::sleep((self.took * REST).clamp(EVERY, MAX_REST)).await;
    }
}
