//! The API keys of callers: found by digest, made, and revoked. Who may do what with a
//! key is decided where requests are read.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::ApiKeyId;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::Engine;
use alerts_store::{AuditEntry, Store, StoreError};
use serde_json::json;

use crate::remembered::{LookupError, Remembered};
use crate::sessions::SessionRegistry;

/// The keys, of all tenants and of the platform.
#[derive(Debug)]
pub(crate) struct KeyRegistry {
    store: Store,
    keys: Remembered<Arc<ApiKey>>,
    sessions: SessionRegistry,
}

impl KeyRegistry {
    pub(crate) fn new(store: Store) -> Self {
        let (keys, sessions) = (Remembered::of(&store), SessionRegistry::new(store.clone()));
        Self { store, keys, sessions }
    }

    /// The sessions that were opened with them.
    pub(crate) fn sessions(&self) -> &SessionRegistry {
        &self.sessions
    }

    /// The key with this digest.
    pub(crate) async fn get(&self, digest: &KeyDigest) -> Result<Option<Arc<ApiKey>>, LookupError> {
        let read = async { Ok(self.store.find_api_key(digest).await?.map(Arc::new)) };
        self.keys.get(digest, read).await
    }

    /// Makes a key and stores it; it works from the moment this returns.
    pub(crate) async fn create(&self, engine: &Engine, new: NewKey) -> Result<ApiKey, StoreError> {
        let now = engine.clock().now();
        let key = ApiKey {
            id: engine.entropy().id(now, ApiKeyId::new),
            tenant: new.tenant,
            name: new.name,
            role: new.role,
            digest: KeyDigest::of(new.secret.expose()),
            created_by: new.created_by,
            created_at: now,
            expires_at: new.expires_at,
        };
        let entry = AuditEntry {
            actor: key.created_by.clone(),
            action: "api_key.created".to_owned(),
            resource: key.id.to_string(),
            detail: json!({"name": key.name, "role": key.role, "expires_at": key.expires_at}),
        };
        let created = self.store.create_api_key(&key, engine.quotas(), &entry, now).await;
        self.keys.forget(&key.digest);
        created.map(|()| key)
    }

    /// Takes a key back. Once this returns, neither it nor a session of it works anywhere.
    /// Says whether there was one.
    pub(crate) async fn revoke(
        &self,
        tenant: Option<&TenantId>,
        id: ApiKeyId,
        actor: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let entry = AuditEntry {
            actor: actor.to_owned(),
            action: "api_key.revoked".to_owned(),
            resource: id.to_string(),
            detail: json!({}),
        };
        let revoked = self.store.delete_api_key(tenant, id, &entry, now).await;
        match &revoked {
            Ok(Some(digest)) => self.keys.forget(digest),
            Ok(None) => return Ok(false),
            // It may be revoked all the same.
            Err(_) => self.keys.forget_all(),
        }
        self.sessions.forget_all();
        if revoked.is_ok() {
            self.keys.no_longer_trusted().await;
        }
        revoked.map(|digest| digest.is_some())
    }
}

/// A key as it is asked for.
#[derive(Debug)]
pub(crate) struct NewKey {
    /// For whom; none for a platform key.
    pub(crate) tenant: Option<TenantId>,
    /// For people.
    pub(crate) name: String,
    /// How far it reaches.
    pub(crate) role: Role,
    /// The key itself.
    pub(crate) secret: Secret,
    /// When it stops working.
    pub(crate) expires_at: Option<Timestamp>,
    /// Who asks.
    pub(crate) created_by: String,
}
