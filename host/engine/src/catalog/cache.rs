//! Each tenant's rules and endpoints in memory, so that an event is matched
//! without asking the database.
//!
//! Loaded whole when a tenant is first seen, read again when the tenant changes
//! anything, and checked against the database's revision numbers for changes
//! made by other hosts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerts_domain::endpoint::WebhookEndpoint;
use alerts_domain::keyring::Keyring;
use alerts_domain::tenant::TenantId;

use super::load::Loader;
use super::tenant::TenantCatalog;
use crate::error::EngineError;
use crate::live::LiveEndpoint;

/// All tenants seen so far. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Catalog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    loader: Loader,
    tenants: Mutex<HashMap<TenantId, Arc<TenantCatalog>>>,
    /// One load at a time: a burst of events for a new tenant reads it once.
    loading: tokio::sync::Mutex<()>,
}

impl Catalog {
    pub(crate) fn new(loader: Loader) -> Self {
        Self(Arc::new(Inner {
            loader,
            tenants: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        }))
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, Arc<TenantCatalog>>> {
        self.0.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant's catalog, if it is in memory.
    pub(crate) fn peek(&self, tenant: &TenantId) -> Option<Arc<TenantCatalog>> {
        self.tenants().get(tenant).cloned()
    }

    /// The tenant's catalog, loaded if need be.
    pub(crate) async fn get(&self, tenant: &TenantId) -> Result<Arc<TenantCatalog>, EngineError> {
        if let Some(known) = self.peek(tenant) {
            return Ok(known);
        }
        let _turn = self.0.loading.lock().await;
        if let Some(known) = self.peek(tenant) {
            return Ok(known);
        }
        let loaded = Arc::new(self.0.loader.load(tenant).await?);
        self.tenants().insert(tenant.clone(), loaded.clone());
        Ok(loaded)
    }

    /// Reads the tenant's catalog anew, after a change that is committed.
    /// Readers see the new one from the moment this returns.
    pub(crate) async fn refresh(&self, tenant: &TenantId) {
        let _turn = self.0.loading.lock().await;
        match self.0.loader.load(tenant).await {
            Ok(loaded) => {
                self.tenants().insert(tenant.clone(), Arc::new(loaded));
            }
            Err(error) => {
                // The next reader tries again, and tells its caller if it fails too.
                tracing::warn!(%tenant, %error, "the tenant's rules could not be read again");
                self.tenants().remove(tenant);
            }
        }
    }

    /// Reads anew what other hosts have changed.
    pub(crate) async fn follow(&self) -> Result<(), EngineError> {
        let stale: Vec<TenantId> = {
            let revisions = self.0.loader.store.revisions().await?;
            let tenants = self.tenants();
            let changed = |(tenant, revision): &(TenantId, i64)| {
                tenants.get(tenant).is_some_and(|known| known.revision < *revision)
            };
            revisions.into_iter().filter(changed).map(|(tenant, _)| tenant).collect()
        };
        for tenant in stale {
            self.refresh(&tenant).await;
        }
        Ok(())
    }

    /// Opens an endpoint's secrets.
    pub(crate) fn open(&self, stored: WebhookEndpoint) -> Result<LiveEndpoint, EngineError> {
        self.0.loader.open(stored)
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.loader.keyring
    }
}
