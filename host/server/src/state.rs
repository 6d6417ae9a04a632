//! What every request handler shares.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::keyring::Keyring;
use alerts_engine::Engine;
use alerts_sources::WebhookSources;
use alerts_store::Store;
use tokio_util::sync::CancellationToken;

use crate::keys::KeyRegistry;
use crate::limits::BodyMemory;
use crate::meters::Meters;
use crate::pace::{Pace, PaceRules};
use crate::sessions::SessionRegistry;
use crate::settings::Site;
use crate::sign_in_pace::SignInPace;
use crate::trouble::Told;
use crate::unbroken::Changes;

/// Requests to one webhook in: a large pipeline tells of a hundred jobs at once, and twenty a
/// second are more than any one platform has to tell.
const SOURCE_PACE: PaceRules =
    PaceRules { at_once: 200, every: Duration::from_millis(50), longest_wait: Duration::ZERO };

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
    site: Site,
    sign_ins: SignInPace,
    webhook_sources: WebhookSources,
    source_pace: Pace,
    stopping: CancellationToken,
    told: Told,
}

impl AppState {
    pub(crate) fn new(
        engine: Engine,
        keys: KeyRegistry,
        keyring: Keyring,
        body_memory: BodyMemory,
        site: Site,
        stopping: CancellationToken,
    ) -> Self {
        let webhook_sources = WebhookSources::new(engine.clone(), keyring.clone());
        Self(Arc::new(Inner {
            engine,
            keys,
            keyring,
            meters: Meters::new(),
            changes: Changes::default(),
            body_memory,
            site,
            sign_ins: SignInPace::new(),
            webhook_sources,
            source_pace: Pace::new(SOURCE_PACE),
            stopping,
            told: Told::default(),
        }))
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

    pub(crate) fn sessions(&self) -> &SessionRegistry {
        self.keys().sessions()
    }

    pub(crate) fn site(&self) -> &Site {
        &self.0.site
    }

    pub(crate) fn sign_ins(&self) -> &SignInPace {
        &self.0.sign_ins
    }

    /// The webhooks in.
    pub(crate) fn webhook_sources(&self) -> &WebhookSources {
        &self.0.webhook_sources
    }

    /// How often each webhook in may be posted to.
    pub(crate) fn source_pace(&self) -> &Pace {
        &self.0.source_pace
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
