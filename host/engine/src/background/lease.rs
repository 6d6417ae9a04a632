//! The loop that keeps this host's lease alive, and frees what dead hosts held.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::id::HostId;
use alerts_store::Store;

use super::supervisor::{BackgroundLoop, Pulse};
use crate::clock::Clock;
use crate::dispatch::Dispatcher;
use crate::error::EngineError;
use crate::health::Trouble;
use crate::wakes::Wakes;

/// How long a host's lease lasts without a heartbeat, and how often it beats.
/// Six beats to a lease, so that a slow database does not cost us our work.
const LEASE: Duration = Duration::from_secs(30);
const BEAT: Duration = Duration::from_secs(5);
/// Without a renewal for so long, health names it: half of the lease is over.
const LATE: Duration = Duration::from_secs(15);
/// Most deliveries given up at once because they are too old.
const EXPIRE: u32 = 1000;

/// This host's lease. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub(crate) struct Lease {
    host: HostId,
    store: Store,
    dispatcher: Dispatcher,
    clock: Arc<dyn Clock>,
    wakes: Wakes,
    renewed_at: Arc<Mutex<Timestamp>>,
}

impl Lease {
    pub(crate) fn new(
        host: HostId,
        store: Store,
        dispatcher: Dispatcher,
        clock: Arc<dyn Clock>,
        wakes: Wakes,
    ) -> Self {
        let renewed_at = Arc::new(Mutex::new(clock.now()));
        Self { host, store, dispatcher, clock, wakes, renewed_at }
    }

    /// One heartbeat.
    pub(crate) async fn beat(&self) -> Result<(), EngineError> {
        let now = self.clock.now();
        if !self.store.heartbeat(self.host, self.clock.after(LEASE)).await? {
            // It was forgotten, and others have what waits here: to send it as well would
            // only repeat it. What is leased anew since then is found among the strays.
            drop(self.dispatcher.take_waiting());
        }
        *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
        let freed = self.store.release_dead_hosts(now).await?;
        if freed > 0 {
            tracing::warn!(freed, "took over deliveries of a host that stopped");
            self.wakes.claims.set(now);
        }
        let expired = self.store.expire_due(now, EXPIRE).await?;
        if expired > 0 {
            tracing::warn!(expired, "gave up deliveries that were due for over a week");
        }
        Ok(())
    }

    /// Ends the lease now, so that other hosts go on at once.
    pub(crate) async fn end(&self) -> Result<(), EngineError> {
        self.store.heartbeat(self.host, Timestamp::UNIX_EPOCH).await?;
        Ok(())
    }

    /// What is wrong with it.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        let since = *self.renewed_at.lock().unwrap_or_else(PoisonError::into_inner);
        let age = Duration::try_from(self.clock.now().duration_since(since));
        age.is_ok_and(|age| age > LATE).then_some(Trouble::LeaseNotRenewed { since })
    }
}

impl BackgroundLoop for Lease {
    const NAME: &'static str = "lease";
    const SILENT_AFTER: Duration = LEASE;
    const RESTS_FIRST: bool = true;

    async fn round(&mut self, _: &Pulse) {
        if let Err(error) = self.beat().await {
            tracing::error!(%error, host = %self.host, "heartbeat failed; trying again");
        }
        self.dispatcher.tidy(self.clock.now());
    }

    async fn rest(&mut self) {
        self.clock.sleep_until(self.clock.after(BEAT)).await;
    }
}
