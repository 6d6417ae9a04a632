//! From what is stored of a tenant to its catalog: secrets opened, rules indexed.

use std::sync::Arc;

use alerts_domain::endpoint::{EndpointSecrets, WebhookEndpoint};
use alerts_domain::keyring::{Keyring, OpenError};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::{Rollout, TenantId};
use alerts_store::{Store, StoreError};

use super::tenant::TenantCatalog;
use crate::error::EngineError;
use crate::live::{LiveEndpoint, LiveRule};

/// Reads tenants' catalogs. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Loader {
    pub(crate) store: Store,
    pub(crate) keyring: Arc<Keyring>,
    /// Which tenants alerts are open to.
    pub(crate) rollout: Rollout,
    /// The limit of tenants that have none of their own.
    pub(crate) tenant_rate_limit: Option<RateLimit>,
}

impl Loader {
    /// The tenant's catalog as the database has it now.
    pub(super) async fn load(&self, tenant: &TenantId) -> Result<TenantCatalog, StoreError> {
        let active = self.store.active_tenant(tenant).await?;
        let mark = active.mark;
        let mut catalog = TenantCatalog::new(
            active.revision,
            self.rollout.is_open_to(mark.is_beta),
            mark.rate_limit.or(self.tenant_rate_limit),
        );
        for stored in active.endpoints {
            match self.open(stored) {
                Ok(endpoint) => catalog.add_endpoint(endpoint),
                // One endpoint whose key is lost must not stop the others.
                Err(error) => tracing::error!(%tenant, %error, "endpoint left out"),
            }
        }
        for stored in active.rules {
            catalog.add_rule(LiveRule::new(stored));
        }
        Ok(catalog)
    }

    /// Opens an endpoint's secrets.
    pub(super) fn open(&self, stored: WebhookEndpoint) -> Result<LiveEndpoint, EngineError> {
        let place = EndpointSecrets::associated_data(&stored.tenant, stored.id);
        let damaged = |source| EngineError::Secrets { endpoint: stored.id, source };
        let plain = self.keyring.open(&stored.sealed_secrets, &place).map_err(damaged)?;
        let secrets = serde_json::from_slice(&plain).map_err(|_| damaged(OpenError::Damaged))?;
        Ok(LiveEndpoint::new(stored, secrets))
    }
}
