//! The loop that follows other hosts' changes of rules and endpoints.

use std::sync::Arc;
use std::time::Duration;

use super::POLL;
use super::supervisor::{BackgroundLoop, Pulse};
use crate::catalog::Catalog;
use crate::clock::Clock;

/// Follows other hosts' changes, where there are other hosts.
pub(crate) struct CatalogLoop {
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<dyn Clock>,
}

impl BackgroundLoop for CatalogLoop {
    const NAME: &'static str = "catalog";
    /// Thousands of tenants may have changed at once.
    const SILENT_AFTER: Duration = Duration::from_secs(60);
    const RESTS_FIRST: bool = true;

    async fn round(&mut self, _: &Pulse) {
        if let Err(error) = self.catalog.follow().await {
            tracing::error!(%error, "other hosts' changes could not be read; trying again");
        }
    }

    async fn rest(&mut self) {
        self.clock.sleep_until(self.clock.after(POLL)).await;
    }
}
