//! What every request handler shares.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::keyring::Keyring;
use alerts_engine::Engine;
use alerts_store::Store;
use tokio_util::sync::CancellationToken;

use crate::keys::KeyRegistry;
use crate::limits::BodyMemory;
use crate::meters::Meters;
use crate::trouble::Told;
use crate::unbroken::Changes;

/// Shared by all requests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Inner>);

struct Inner {
    engine: Engine,
    keys: KeyRegistry,
    keyring: Keyring,
    meters: Meters,
    changes: Changes,
    body_memory: BodyMemory,
    stopping: CancellationToken,
    told: Told,
}

impl AppState {
    pub(crate) fn new(
        engine: Engine,
        keys: KeyRegistry,
        keyring: Keyring,
        body_memory: BodyMemory,
        stopping: CancellationToken,
    ) -> Self {
        let (meters, changes, told) = (Meters::new(), Changes::default(), Told::default());
        let inner = Inner { engine, keys, keyring, meters, changes, body_memory, stopping, told };
        Self(Arc::new(inner))
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

    pub(crate) fn body_memory(&self) -> &BodyMemory {
        &self.0.body_memory
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    /// What the log was told of how ready this host is.
    pub(crate) fn told(&self) -> &Told {
        &self.0.told
    }

    pub(crate) fn changes(&self) -> &Changes {
        &self.0.changes
    }
}
