//! The sessions of people in browsers: opened, found by their token, and ended. How a
//! token travels is the API's business.

use std::sync::Arc;

use alerts_domain::api_key::{ApiKey, KeyDigest};
use alerts_domain::id::SessionId;
use alerts_domain::secret::Secret;
use alerts_domain::session::Session;
use alerts_engine::Engine;
use alerts_store::{AuditEntry, SessionOpening, Store, StoreError};
use serde_json::json;

use crate::remembered::{LookupError, Remembered};

/// The sessions, of all keys and portal links.
#[derive(Debug)]
pub(crate) struct SessionRegistry {
    store: Store,
    sessions: Remembered<Arc<Session>>,
}

impl SessionRegistry {
    pub(crate) fn new(store: Store) -> Self {
        let sessions = Remembered::of(&store);
        Self { store, sessions }
    }

    /// The session with this token. Its time may be over.
    pub(crate) async fn get(&self, token: &str) -> Result<Option<Arc<Session>>, LookupError> {
        let digest = KeyDigest::of(token);
        let read = async { Ok(self.store.find_session(&digest).await?.map(Arc::new)) };
        self.sessions.get(&digest, read).await
    }

    /// Opens a session of the person who holds this key; none if the key was revoked
    /// meanwhile. The token is shown this once.
    pub(crate) async fn open(
        &self,
        engine: &Engine,
        key: &ApiKey,
    ) -> Result<Option<(Secret, Session)>, StoreError> {
        let now = engine.clock().now();
        let token = Session::generate_token(engine.entropy().bytes());
        let id = engine.entropy().id(now, SessionId::new);
        let session = Session::of_key(id, &token, key, now);
        let entry = entry("session.opened", &session);
        match self.store.open_session(&session, &entry, now).await? {
            SessionOpening::KeyGone => return Ok(None),
            SessionOpening::Opened { others_ended: 0 } => {}
            SessionOpening::Opened { .. } => self.forget_all(),
        }
        Ok(Some((token, session)))
    }

    /// Ends a session. Once this returns it works nowhere.
    pub(crate) async fn end(&self, engine: &Engine, session: &Session) -> Result<(), StoreError> {
        let now = engine.clock().now();
        let entry = entry("session.ended", session);
        let ended = self.store.end_session(session, &entry, now).await;
        self.sessions.forget(&session.digest);
        if ended? {
            self.sessions.no_longer_trusted().await;
        }
        Ok(())
    }

    /// Forgets what is known of all sessions: some of them have ended.
    pub(crate) fn forget_all(&self) {
        self.sessions.forget_all();
    }
}

fn entry(action: &str, session: &Session) -> AuditEntry {
    AuditEntry {
        actor: session.actor(),
        action: action.to_owned(),
        resource: session.id.to_string(),
        detail: json!({"role": session.role, "expires_at": session.expires_at}),
    }
}
