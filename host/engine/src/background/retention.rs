//! Retention: events, deliveries, attempts and statistics are kept for a set time, then
//! removed in small portions that leave intake room in between.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::stats::Step;
use alerts_store::{Kept, Store};
use jiff::SignedDuration;

use super::supervisor::{BackgroundLoop, Pulse};
use crate::clock::Clock;
use crate::error::EngineError;

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events, from when they came in.
    pub events: SignedDuration,
    /// Deliveries, from when they were made.
    pub deliveries: SignedDuration,
    /// Attempts, from when their delivery was made.
    pub attempts: SignedDuration,
}

impl Retention {
    /// Least time, in days: by then every delivery has reached its end.
    pub const MIN_DAYS: u32 = 8;
    /// Most time, in days: ten years.
    pub const MAX_DAYS: u32 = 3660;

    /// So many days.
    pub fn days(days: u32) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(days))
    }

    fn of(&self, kept: Kept) -> SignedDuration {
        match kept {
            Kept::Attempts => self.attempts,
            Kept::Deliveries | Kept::OrderingKeys => self.deliveries,
            Kept::Events => self.events,
        }
    }
}

impl Default for Retention {
    /// Three months of events and deliveries, one of what was said to whom.
    fn default() -> Self {
        Self { events: Self::days(90), deliveries: Self::days(90), attempts: Self::days(30) }
    }
}

/// How often there is a look at what is old enough.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// Rows in one commit: some milliseconds of the database's one writer.
const PORTION: u32 = 500;
/// Left to intake between two portions.
const PAUSE: Duration = Duration::from_millis(20);

/// Removes what is old. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RetentionLoop {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) retention: Retention,
}

impl BackgroundLoop for RetentionLoop {
    const NAME: &'static str = "retention";
    /// Of one portion.
    const SILENT_AFTER: Duration = Duration::from_secs(60);

    async fn round(&mut self, pulse: &Pulse) {
        if let Err(error) = self.remove_old(|| pulse.beat()).await {
            tracing::error!(%error, "old rows could not be removed; trying again");
        }
    }

    async fn rest(&mut self) {
        self.clock.sleep_until(self.clock.after(EVERY)).await;
    }
}

impl RetentionLoop {
    /// Removes all that is old enough now, with a beat for each portion. Says how
    /// many rows that were.
    ///
    /// # Errors
    /// The database; what was removed before stays removed.
    pub(crate) async fn remove_old(&self, beat: impl Fn()) -> Result<u64, EngineError> {
        let now = self.clock.now();
        let mut total = 0;
        for kept in Kept::ALL {
            let age = self.retention.of(kept);
            let before = now.saturating_sub(age).unwrap_or(Timestamp::MIN);
            let mut removed = 0;
            for tenant in self.store.tenants_with_old(kept, before).await? {
                loop {
                    beat();
                    let portion = self.store.remove_old(kept, &tenant, before, PORTION).await?;
                    removed += portion;
                    if portion < u64::from(PORTION) {
                        break;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
            if removed > 0 {
                tracing::info!(removed, %before, "removed old {}", kept.word());
                metrics::counter!("alerts_rows_removed_total", "table" => kept.word())
                    .increment(removed);
            }
            total += removed;
        }
        total += self.remove_old_stats(&beat, now).await?;
        loop {
            beat();
            let portion = self.store.forget_trigger_states(now, PORTION).await?;
            total += portion;
            if portion < u64::from(PORTION) {
                return Ok(total);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    async fn remove_old_stats(&self, beat: impl Fn(), now: Timestamp) -> Result<u64, EngineError> {
        let mut removed = 0;
        for step in Step::ALL {
            let before = now.saturating_sub(step.kept_for()).unwrap_or(Timestamp::MIN);
            loop {
                beat();
                let portion = self.store.remove_old_stats(step, before, PORTION).await?;
                removed += portion;
                if portion < u64::from(PORTION) {
                    break;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        metrics::counter!("alerts_rows_removed_total", "table" => "stats").increment(removed);
        Ok(removed)
    }
}
