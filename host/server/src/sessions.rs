//! The sessions of people in browsers: opened, found by their token, and ended. How a
//! token travels is the API's business.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::{ApiKeyId, PortalLinkId, SessionId};
use alerts_domain::secret::Secret;
use alerts_domain::session::{Portal, PortalLink, Session, Theme};
use alerts_engine::{Actor, Engine};
use alerts_store::{AuditEntry, LinkCreation, SessionOpening, Store, StoreError};
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

    /// Makes a portal link. The token is shown this once.
    pub(crate) async fn make_link(
        &self,
        engine: &Engine,
        actor: &Actor,
        asked: NewLink,
    ) -> Result<(Secret, PortalLink, LinkCreation), StoreError> {
        let now = engine.clock().now();
        let token = PortalLink::generate_token(engine.entropy().bytes());
        let link = PortalLink {
            portal: Portal {
                link: engine.entropy().id(now, PortalLinkId::new),
                theme: asked.theme,
                accent: asked.accent,
                return_url: asked.return_url,
            },
            digest: KeyDigest::of(token.expose()),
            api_key_id: asked.api_key_id,
            tenant: actor.tenant.clone(),
            role: asked.role,
            created_at: now,
            expires_at: now.saturating_add(asked.expires_in).unwrap_or(Timestamp::MAX),
        };
        let entry = AuditEntry {
            actor: actor.name.clone(),
            action: "portal_link.created".to_owned(),
            resource: link.portal.link.to_string(),
            detail: json!({"role": link.role, "expires_at": link.expires_at}),
        };
        let most = PortalLink::MOST_UNOPENED;
        let created = self.store.create_portal_link(&link, most, &entry, now).await?;
        Ok((token, link, created))
    }

    /// Opens a session by a portal link; none if there is no such link, or its time is
    /// over, or somebody has opened it.
    pub(crate) async fn open_link(
        &self,
        engine: &Engine,
        link_token: &str,
    ) -> Result<Option<(Secret, Session)>, StoreError> {
        let now = engine.clock().now();
        let found = self.store.find_portal_link(&KeyDigest::of(link_token)).await?;
        let Some((link, key_expires_at)) = found else { return Ok(None) };
        let token = Session::generate_token(engine.entropy().bytes());
        let id = engine.entropy().id(now, SessionId::new);
        let mut session = Session::of_link(id, &token, &link, key_expires_at, now);
        if link.role == Role::Platform {
            // Nobody can ask for one over HTTP; the host's own acts for any tenant, as the
            // platform key behind it does.
            session.tenant = None;
        }
        if !session.is_open_at(now) {
            // Its key's time is over.
            return Ok(None);
        }
        let entry = entry("portal_link.opened", &session);
        match self.store.open_portal_link(&link, &session, &entry, now).await? {
            None => return Ok(None),
            Some(0) => {}
            Some(_) => self.forget_all(),
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

/// A portal link as it is asked for.
#[derive(Debug)]
pub(crate) struct NewLink {
    /// The key behind it.
    pub(crate) api_key_id: ApiKeyId,
    /// How far its session reaches.
    pub(crate) role: Role,
    /// For how long it can be opened.
    pub(crate) expires_in: Duration,
    /// See [`Portal`].
    pub(crate) theme: Option<Theme>,
    pub(crate) accent: Option<String>,
    pub(crate) return_url: Option<String>,
}

fn entry(action: &str, session: &Session) -> AuditEntry {
    AuditEntry {
        actor: session.actor(),
        action: action.to_owned(),
        resource: session.id.to_string(),
        detail: json!({"role": session.role, "expires_at": session.expires_at}),
    }
}
