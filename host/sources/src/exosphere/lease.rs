//! Whether it is this host that watches. Of several hosts on one database one does; when
//! it dies, another goes on within ten seconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alerts_engine::{BackgroundLoop, Engine, Pulse};
use alerts_store::{SourceLease, SourceTurn, StoreError};
use tokio::sync::Notify;

use super::SOURCE;

/// How often the watcher beats, and others look whether it does.
const BEAT: Duration = Duration::from_secs(1);
/// A watcher that has not beaten for so long, by the clock of whoever looks, is dead.
/// With a beat and a look between them a source is taken over within eight seconds.
const LEASE: Duration = Duration::from_secs(6);
/// A round is some statements on the database, each of which has a deadline.
const SILENT_AFTER: Duration = Duration::from_secs(60);

/// This host's lease on the source. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Inner>);

#[derive(Default)]
struct Inner {
    lease: Mutex<Option<SourceLease>>,
    gained: Notify,
    /// Whether this host wants it no more.
    is_over: AtomicBool,
}

impl Held {
    /// The lease, if this host has it as far as it knows. Who writes finds out whether
    /// that is still so.
    pub(super) fn lease(&self) -> Option<SourceLease> {
        self.0.lease.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends when there may be a lease.
    pub(super) async fn gained(&self) {
        self.0.gained.notified().await;
    }

    /// It is another host's turn.
    pub(super) fn lost(&self) {
        if let Some(lease) = self.take() {
            tracing::warn!(source = lease.source, "another host watches by now");
        }
    }

    /// This host is about to end, and takes it no more. Answers with what it had.
    pub(super) fn end(&self) -> Option<SourceLease> {
        self.0.is_over.store(true, Ordering::SeqCst);
        self.take()
    }

    fn take(&self) -> Option<SourceLease> {
        self.0.lease.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, lease: SourceLease) {
        *self.0.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
        self.0.gained.notify_one();
    }
}

/// Keeps the lease, or waits to have it.
pub(super) struct LeaseLoop {
    engine: Engine,
    url: String,
    held: Held,
    /// Whose turn it was when that was last seen to change, and when that was.
    seen: Option<(SourceTurn, Duration)>,
}

impl LeaseLoop {
    pub(super) fn new(engine: Engine, url: String, held: Held) -> Self {
        Self { engine, url, held, seen: None }
    }

    async fn keep_or_take(&mut self) -> Result<(), StoreError> {
        let engine = self.engine.clone();
        let store = engine.store();
        if let Some(lease) = self.held.lease() {
            // Alone on its database nobody waits for it to die.
            if store.is_shared() && !store.beat_source(&lease, None).await? {
                self.held.lost();
            }
            return Ok(());
        }
        let turn = store.source_turn(SOURCE).await?;
        if turn.as_ref().is_some_and(|turn| self.is_alive(turn)) {
            return Ok(());
        }
        let host = engine.host_id();
        if let Some(lease) = store.take_source(SOURCE, &self.url, host, turn.as_ref()).await? {
            tracing::info!(source = SOURCE, url = self.url, "this host watches");
            self.seen = None;
            self.held.set(lease);
        }
        Ok(())
    }

    /// Whether somebody has the turn, as far as can be told by now.
    fn is_alive(&mut self, turn: &SourceTurn) -> bool {
        let is_another = turn.host.is_some_and(|host| host != self.engine.host_id());
        if !is_another || !self.engine.store().is_shared() {
            return false;
        }
        let now = self.engine.clock().monotonic();
        match &self.seen {
            Some((seen, since)) if seen == turn => now.saturating_sub(*since) < LEASE,
            _ => {
                self.seen = Some((turn.clone(), now));
                true
            }
        }
    }
}

impl BackgroundLoop for LeaseLoop {
    const NAME: &'static str = "source_lease";
    const SILENT_AFTER: Duration = SILENT_AFTER;

    async fn round(&mut self, _: &Pulse) {
        if self.held.0.is_over.load(Ordering::SeqCst) {
            return;
        }
        if let Err(error) = self.keep_or_take().await {
            tracing::error!(%error, source = SOURCE, "who watches is not known; trying again");
        }
    }

    async fn rest(&mut self) {
        let clock = self.engine.clock();
        clock.sleep_until(clock.after(BEAT)).await;
    }
}
