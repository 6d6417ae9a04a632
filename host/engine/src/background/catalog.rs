//! The loop that follows other hosts' changes of rules and endpoints, and forgets
//! tenants that nobody uses.

use std::sync::Arc;
use std::time::Duration;

use super::POLL;
use super::supervisor::{BackgroundLoop, Pulse};
use crate::catalog::Catalog;
use crate::clock::Clock;

/// How often idle tenants are looked for where there are no other hosts.
const IDLE_LOOK: Duration = Duration::from_secs(30);

/// Keeps the catalog true and small.
pub(crate) struct CatalogLoop {
    pub(crate) catalog: Catalog,
    /// Whether there may be other hosts.
    pub(crate) is_shared: bool,
    pub(crate) clock: Arc<dyn Clock>,
}

impl BackgroundLoop for CatalogLoop {
    const NAME: &'static str = "catalog";
    /// Thousands of tenants may have changed at once.
    const SILENT_AFTER: Duration = Duration::from_secs(60);
    const RESTS_FIRST: bool = true;

    async fn round(&mut self, _: &Pulse) {
        self.catalog.forget_idle().await;
        if self.is_shared
            && let Err(error) = self.catalog.follow().await
        {
            tracing::error!(%error, "other hosts' changes could not be read; trying again");
        }
    }

    async fn rest(&mut self) {
        let wait = if self.is_shared { POLL } else { IDLE_LOOK };
        self.clock.sleep_until(self.clock.after(wait)).await;
    }
}
