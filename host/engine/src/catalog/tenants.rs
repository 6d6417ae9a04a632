//! What an operator decides about a tenant.

use std::sync::Arc;

use alerts_domain::problem::FieldError;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;
use alerts_store::{Store, TenantMark};
use serde_json::json;

use super::cache::Catalog;
use super::patch::set;
use crate::actor::Actor;
use crate::clock::Clock;
use crate::error::ChangeError;
use crate::wakes::Wakes;

/// A change of what was decided; what is absent stays.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "each field changes the one of the same name in `TenantMark`")]
pub struct TenantPatch {
    pub is_beta: Option<bool>,
    /// `Some(None)` takes the limit away.
    pub rate_limit: Option<Option<RateLimit>>,
}

/// The tenants, as an operator decides about them.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct Tenants {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wakes: Wakes,
}

impl Tenants {
    /// What was decided about a tenant; the defaults for one that is not known.
    pub async fn mark_of(&self, tenant: &TenantId) -> Result<TenantMark, ChangeError> {
        Ok(self.store.active_tenant(tenant).await?.mark)
    }

    /// Decides about a tenant. Written into the tenant's own audit log.
    pub async fn mark(
        &self,
        operator: &str,
        tenant: &TenantId,
        patch: TenantPatch,
    ) -> Result<TenantMark, ChangeError> {
        if let Some(limit) = patch.rate_limit.flatten() {
            let problems = limit.problems().into_iter();
            let problems: Vec<FieldError> = problems.map(|p| p.under("/rate_limit")).collect();
            if !problems.is_empty() {
                return Err(ChangeError::Invalid(problems));
            }
        }
        let mut mark = self.mark_of(tenant).await?;
        let mut changed = Vec::new();
        set(&mut mark.is_beta, patch.is_beta, || changed.push("is_beta"));
        set(&mut mark.rate_limit, patch.rate_limit, || changed.push("rate_limit"));
        let actor = Actor { tenant: tenant.clone(), name: operator.to_owned() };
        let detail = json!({"changed": changed, "is_beta": mark.is_beta,
            "rate_limit": mark.rate_limit});
        let entry = actor.does("tenant.marked", tenant, detail);
        self.store.mark_tenant(tenant, &mark, &entry, self.clock.now()).await?;
        self.catalog.refresh(tenant).await;
        // What waited for the tenant to be let in, or for its limit.
        self.wakes.claims.set(self.clock.now());
        Ok(mark)
    }
}
