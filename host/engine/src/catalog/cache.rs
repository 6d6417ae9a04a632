//! Each tenant's rules and endpoints in memory, so that an event is matched
//! without asking the database.
//!
//! Loaded whole when a tenant is first seen, read again when the tenant changes
//! anything, and checked against the database's revision numbers for changes
//! made by other hosts.

use std::collections::HashMap;
use std::sync::Arc;

use alerts_domain::endpoint::WebhookEndpoint;
use alerts_domain::keyring::Keyring;
use alerts_domain::tenant::TenantId;
use futures_util::{StreamExt as _, stream};

use super::load::Loader;
use super::tenant::TenantCatalog;
use super::tenant_cache::{TenantCache, Weighed};
use crate::error::EngineError;
use crate::live::LiveEndpoint;

/// Catalogs that are read at once when other hosts have changed many: a few of the
/// database's readers, so that others get theirs.
const LOADS: usize = 8;

impl Weighed for TenantCatalog {
    fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }
}

/// The tenants that are in use. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Catalog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    loader: Loader,
    tenants: TenantCache<TenantCatalog>,
}

impl Catalog {
    pub(crate) fn new(loader: Loader) -> Self {
        Self(Arc::new(Inner { loader, tenants: TenantCache::new() }))
    }

    /// The tenant's catalog, if it is in memory.
    pub(crate) fn peek(&self, tenant: &TenantId) -> Option<Arc<TenantCatalog>> {
        self.0.tenants.peek(tenant)
    }

    /// The tenant's catalog, loaded if need be.
    pub(crate) async fn get(&self, tenant: &TenantId) -> Result<Arc<TenantCatalog>, EngineError> {
        let Inner { loader, tenants } = &*self.0;
        Ok(tenants.get(tenant, async || loader.load(tenant).await).await?)
    }

    /// Reads the tenant's catalog anew, after a change that is committed.
    /// Readers see the new one from the moment this returns.
    pub(crate) async fn refresh(&self, tenant: &TenantId) {
        let Inner { loader, tenants } = &*self.0;
        if let Err(error) = tenants.refresh(tenant, async || loader.load(tenant).await).await {
            // The next reader tries again, and tells its caller if it fails too.
            tracing::warn!(%tenant, %error, "the tenant's rules could not be read again");
        }
    }

    /// Reads anew what other hosts have changed.
    pub(crate) async fn follow(&self) -> Result<(), EngineError> {
        let known = self.0.tenants.all();
        if known.is_empty() {
            return Ok(());
        }
        let revisions = self.0.loader.store.revisions().await?;
        let revisions: HashMap<TenantId, i64> = revisions.into_iter().collect();
        let stale = known.into_iter().filter(|(tenant, known)| {
            revisions.get(tenant).is_some_and(|revision| known.revision < *revision)
        });
        let refreshed = stream::iter(stale).map(|(tenant, _)| {
            let catalog = self.clone();
            async move { catalog.refresh(&tenant).await }
        });
        refreshed.buffer_unordered(LOADS).collect::<()>().await;
        Ok(())
    }

    /// Forgets tenants that nobody uses.
    pub(crate) async fn forget_idle(&self) {
        self.0.tenants.forget_idle().await;
    }

    /// Opens an endpoint's secrets.
    pub(crate) fn open(&self, stored: WebhookEndpoint) -> Result<LiveEndpoint, EngineError> {
        self.0.loader.open(stored)
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.loader.keyring
    }
}
