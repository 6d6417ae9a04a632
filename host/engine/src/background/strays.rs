//! The loop that gives back what this host has leased and nobody works on: what a
//! panic left behind, or a commit that stood though its answer was lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::id::HostId;
use alerts_store::{Store, StoredLease};

use super::supervisor::{BackgroundLoop, Pulse};
use crate::clock::Clock;
use crate::dispatch::Dispatcher;
use crate::error::EngineError;
use crate::wakes::Wakes;

/// Between two looks. What is in nobody's hands at two of them is a stray: a commit
/// is in nobody's hands for the moment until its caller hears of it. So a stray
/// waits for less than a minute.
const EVERY: Duration = Duration::from_secs(20);

/// Looks for strays. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Strays {
    host: HostId,
    store: Store,
    dispatcher: Dispatcher,
    clock: Arc<dyn Clock>,
    wakes: Wakes,
    last: Arc<Mutex<Look>>,
}

/// What a look has shown.
struct Look {
    at: Duration,
    unknown: BTreeSet<StoredLease>,
}

impl Strays {
    pub(crate) fn new(
        host: HostId,
        store: Store,
        dispatcher: Dispatcher,
        clock: Arc<dyn Clock>,
        wakes: Wakes,
    ) -> Self {
        let look = Look { at: clock.monotonic(), unknown: BTreeSet::new() };
        Self { host, store, dispatcher, clock, wakes, last: Arc::new(Mutex::new(look)) }
    }

    /// Looks, if the last look is long enough ago, and gives back what was in
    /// nobody's hands both times.
    pub(crate) async fn look(&self) -> Result<(), EngineError> {
        let now = self.clock.monotonic();
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(last().at) < EVERY {
            return Ok(());
        }
        let leased = self.store.leased_to(self.host).await?;
        let unknown =
            leased.into_iter().filter(|lease| !self.dispatcher.holds(&(lease.id, lease.fence)));
        let look = Look { at: now, unknown: unknown.collect() };
        let strays: Vec<StoredLease> =
            look.unknown.intersection(&last().unknown).cloned().collect();
        *last() = look;
        if strays.is_empty() {
            return Ok(());
        }
        let now: Timestamp = self.clock.now();
        let released = self.store.release_strays(self.host, &strays, now).await?;
        metrics::counter!("alerts_strays_released_total").increment(released);
        tracing::warn!(released, "gave back deliveries that were leased here and forgotten");
        self.wakes.claims.set(now);
        Ok(())
    }
}

impl BackgroundLoop for Strays {
    const NAME: &'static str = "strays";
    const SILENT_AFTER: Duration = Duration::from_secs(60);
    const RESTS_FIRST: bool = true;

    async fn round(&mut self, _: &Pulse) {
        if let Err(error) = self.look().await {
            tracing::error!(%error, "forgotten deliveries could not be looked for; trying again");
        }
    }

    async fn rest(&mut self) {
        self.clock.sleep_until(self.clock.after(EVERY)).await;
    }
}
