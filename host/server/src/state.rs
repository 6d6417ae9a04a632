//! What every request handler shares.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::keyring::Keyring;
use alerts_engine::Engine;
use alerts_store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::keys::KeyRegistry;
use crate::meters::Meters;
use crate::unbroken::Unbroken;

/// Shared by all requests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Inner>);

struct Inner {
    engine: Engine,
    keys: KeyRegistry,
    keyring: Keyring,
    meters: Meters,
    changes: TaskTracker,
    stopping: CancellationToken,
}

impl AppState {
    pub(crate) fn new(
        engine: Engine,
        keys: KeyRegistry,
        keyring: Keyring,
        stopping: CancellationToken,
    ) -> Self {
        let (meters, changes) = (Meters::new(), TaskTracker::new());
        Self(Arc::new(Inner { engine, keys, keyring, meters, changes, stopping }))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn store(&self) -> &Store {
        self.0.engine.store()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.engine.clock().now()
    }

    pub(crate) fn keys(&self) -> &KeyRegistry {
        &self.0.keys
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    /// Does something that must not be left half done, even when nobody waits
    /// for it any more.
    pub(crate) fn to_the_end<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> Unbroken<T> {
        Unbroken::new(change, self.0.changes.clone())
    }

    /// Ends once all that goes on without its caller is done.
    pub(crate) async fn changes_done(&self) {
        self.0.changes.close();
        self.0.changes.wait().await;
    }
}
