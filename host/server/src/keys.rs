//! The API keys in memory, so that a request is let in without asking the
//! database. Who may do what with a key is decided where requests are read.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use alerts_domain::Timestamp;
use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::ApiKeyId;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::Engine;
use alerts_store::{AuditEntry, Store, StoreError};
use serde_json::json;

/// How old the memory must be before an unknown key makes us look again: keys
/// that nobody knows must not become a load on the database.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// All keys, of all tenants and of the platform.
#[derive(Debug)]
pub(crate) struct KeyRegistry {
    store: Store,
    known: RwLock<Known>,
}

#[derive(Debug)]
struct Known {
    by_digest: HashMap<KeyDigest, Arc<ApiKey>>,
    read_at: Instant,
}

impl KeyRegistry {
    /// Reads all keys.
    pub(crate) async fn load(store: Store) -> Result<Self, StoreError> {
        let known = RwLock::new(Self::read(&store).await?);
        Ok(Self { store, known })
    }

    async fn read(store: &Store) -> Result<Known, StoreError> {
        let read_at = Instant::now();
        let keys = store.all_api_keys().await?;
        let by_digest = keys.into_iter().map(|key| (key.digest, Arc::new(key))).collect();
        Ok(Known { by_digest, read_at })
    }

    /// Reads all keys anew.
    pub(crate) async fn reload(&self) -> Result<(), StoreError> {
        let fresh = Self::read(&self.store).await?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn find(&self, digest: &KeyDigest) -> Option<Arc<ApiKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.by_digest.get(digest).cloned()
    }

    /// The key with this digest. Where several hosts share the database, a key
    /// that another host has just made is looked for there.
    pub(crate) async fn get(&self, digest: &KeyDigest) -> Result<Option<Arc<ApiKey>>, StoreError> {
        let found = self.find(digest);
        if found.is_some() || !self.store.is_shared() {
            return Ok(found);
        }
        let age = self.known.read().unwrap_or_else(PoisonError::into_inner).read_at.elapsed();
        if age < LOOK_AGAIN {
            return Ok(None);
        }
        self.reload().await?;
        Ok(self.find(digest))
    }

    /// Whether anybody holds a platform key that works at `now`.
    pub(crate) fn has_platform_key(&self, now: Timestamp) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys = known.by_digest.values();
        keys.any(|key| key.role == Role::Platform && key.is_valid_at(now))
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
        self.store.create_api_key(&key, &entry, now).await?;
        self.reload().await?;
        Ok(key)
    }

    /// Takes a key back. Says whether there was one.
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
        let revoked = self.store.delete_api_key(tenant, id, &entry, now).await?;
        self.reload().await?;
        Ok(revoked)
    }

    /// The keys of a tenant, or of the platform for `None`, the newest first.
    pub(crate) fn of(&self, tenant: Option<&TenantId>) -> Vec<Arc<ApiKey>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let of_owner = known.by_digest.values().filter(|key| key.tenant.as_ref() == tenant);
        let mut keys: Vec<_> = of_owner.cloned().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.id));
        keys
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
