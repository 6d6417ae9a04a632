//! The API keys of callers: found by digest, remembered for a while, and never
//! again let in once their revocation was answered. Who may do what with a key is
//! decided where requests are read.
//!
//! A key is looked up in the database by its digest, one row of an index, and then
//! remembered. Two things keep a memory from outliving a revocation:
//! - On this host, a revocation forgets the key, and whatever was being read
//!   meanwhile is not remembered.
//! - Where other hosts share the database, each trusts what it has read for
//!   [`TRUSTED`], counted from before it asked. The revocation is answered that much
//!   later: by then no host has anything left to trust.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::ApiKeyId;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::Engine;
use alerts_store::{AuditEntry, Store, StoreError};
use moka::sync::Cache;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How long a key that was read is trusted where other hosts may revoke it: one
/// read a second for each key in use, and a revocation takes that long.
const TRUSTED: Duration = Duration::from_secs(1);
/// By how much more a revocation waits: clocks of hosts may run at different speeds,
/// by far less than this within a second.
const MARGIN: Duration = Duration::from_millis(100);
/// Keys that are remembered; more than are in use at once, at some 300 bytes each.
const KNOWN: u64 = 10_000;
/// Texts that are remembered as being no key, and for how long: a client that goes
/// on with a revoked key costs no reads.
const UNKNOWN: u64 = 1_000;
const UNKNOWN_FOR: Duration = Duration::from_secs(1);
/// Reads at once for texts that are not remembered, and for known keys that must be
/// read again. Apart, so that guessing keys delays no caller who has one; few, so
/// that the other connections to the database are for what callers ask.
const READS_OF_UNKNOWN: usize = 2;
const READS_OF_KNOWN: usize = 2;
/// How long a caller waits to be known. Only a database that does not answer takes
/// so long.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(5);

/// A key could not be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database did not answer in time.
    #[error("the database did not say within {} seconds whose key it is", LOOKUP_DEADLINE.as_secs())]
    TooLate,
}

/// The keys, of all tenants and of the platform.
#[derive(Debug)]
pub(crate) struct KeyRegistry {
    store: Store,
    known: Cache<KeyDigest, Known>,
    unknown: Cache<KeyDigest, ()>,
    /// Counts the keys made and revoked here. What was read before a change is
    /// remembered only if there was no change until then.
    changes: RwLock<u64>,
    reads_of_known: Semaphore,
    reads_of_unknown: Semaphore,
}

/// A key as it was read.
#[derive(Debug, Clone)]
struct Known {
    key: Arc<ApiKey>,
    /// From before the database was asked.
    asked_at: Instant,
}

impl KeyRegistry {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            known: Cache::new(KNOWN),
            unknown: Cache::builder().max_capacity(UNKNOWN).time_to_live(UNKNOWN_FOR).build(),
            changes: RwLock::new(0),
            reads_of_known: Semaphore::new(READS_OF_KNOWN),
            reads_of_unknown: Semaphore::new(READS_OF_UNKNOWN),
        }
    }

    /// The key with this digest.
    pub(crate) async fn get(&self, digest: &KeyDigest) -> Result<Option<Arc<ApiKey>>, LookupError> {
        if let Some(answer) = self.remembered(digest) {
            return Ok(answer);
        }
        let looked_up = tokio::time::timeout(LOOKUP_DEADLINE, self.look_up(digest));
        looked_up.await.map_err(|_| LookupError::TooLate)?
    }

    /// What is known of the digest without asking; none when the database must say.
    fn remembered(&self, digest: &KeyDigest) -> Option<Option<Arc<ApiKey>>> {
        match self.known.get(digest) {
            Some(known) if self.is_trusted(&known) => Some(Some(known.key)),
            Some(_) => None,
            None => self.unknown.get(digest).map(|()| None),
        }
    }

    fn is_trusted(&self, known: &Known) -> bool {
        !self.store.is_shared() || known.asked_at.elapsed() < TRUSTED
    }

    async fn look_up(&self, digest: &KeyDigest) -> Result<Option<Arc<ApiKey>>, LookupError> {
        let reads = match self.known.contains_key(digest) {
            true => &self.reads_of_known,
            false => &self.reads_of_unknown,
        };
        // Never closed.
        let _turn = reads.acquire().await.map_err(|_| LookupError::TooLate)?;
        // Those that waited for the same key have it now.
        if let Some(answer) = self.remembered(digest) {
            return Ok(answer);
        }
        let changes = *self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let asked_at = Instant::now();
        let found = self.store.find_api_key(digest).await?.map(Arc::new);
        let unchanged = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        if *unchanged == changes {
            match &found {
                Some(key) => self.known.insert(*digest, Known { key: key.clone(), asked_at }),
                None => {
                    self.known.invalidate(digest);
                    self.unknown.insert(*digest, ());
                }
            }
        }
        Ok(found)
    }

    /// Forgets what is known of a digest, and what is being read now.
    fn forget(&self, digest: &KeyDigest) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        *changes += 1;
        self.known.invalidate(digest);
        self.unknown.invalidate(digest);
    }

    /// The same for all digests.
    fn forget_all(&self) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        *changes += 1;
        self.known.invalidate_all();
        self.unknown.invalidate_all();
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
        let created = self.store.create_api_key(&key, &entry, now).await;
        self.forget(&key.digest);
        created.map(|()| key)
    }

    /// Takes a key back. Once this returns it works nowhere. Says whether there was one.
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
            Ok(Some(digest)) => self.forget(digest),
            Ok(None) => return Ok(false),
            // It may be revoked all the same.
            Err(_) => self.forget_all(),
        }
        if self.store.is_shared() && revoked.is_ok() {
            tokio::time::sleep(TRUSTED + MARGIN).await;
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
