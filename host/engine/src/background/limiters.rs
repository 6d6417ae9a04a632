//! The loop that writes down where the rate limiters stand.

use std::sync::Arc;
use std::time::Duration;

use super::supervisor::{BackgroundLoop, Pulse};
use crate::clock::Clock;
use crate::dispatch::Limiters;

/// How much of a fast limit a crash may forget.
const EVERY: Duration = Duration::from_secs(1);

/// Keeps the rate limiters.
pub(crate) struct LimiterLoop {
    pub(crate) limiters: Limiters,
    pub(crate) clock: Arc<dyn Clock>,
}

impl BackgroundLoop for LimiterLoop {
    const NAME: &'static str = "rate limiters";
    /// It is one small transaction.
    const SILENT_AFTER: Duration = Duration::from_secs(60);
    const RESTS_FIRST: bool = true;

    async fn round(&mut self, _: &Pulse) {
        if let Err(error) = self.limiters.keep().await {
            tracing::warn!(%error, "rate limiters were not written down; trying again");
        }
    }

    async fn rest(&mut self) {
        self.clock.sleep_until(self.clock.after(EVERY)).await;
    }
}
