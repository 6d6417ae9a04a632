//! What an operator decides about a tenant.

use std::sync::Arc;

use alerts_domain::problem::FieldError;
use alerts_domain::tenant::TenantId;
use alerts_store::{Store, TenantMark, TenantPatch};

use super::cache::Catalog;
use crate::actor::Actor;
use crate::changes::{self, Fields, value};
use crate::clock::Clock;
use crate::error::ChangeError;
use crate::wakes::Wakes;

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
        let actor = Actor { tenant: tenant.clone(), name: operator.to_owned() };
        let fields = |mark: &TenantMark| {
            let of = [("is_beta", value(mark.is_beta)), ("rate_limit", value(mark.rate_limit))];
            Fields::from_iter(of.map(|(name, value)| (name.to_owned(), value)))
        };
        let entry = |before: &TenantMark, after: &TenantMark| {
            let detail = changes::between(&fields(before), &fields(after), &[]);
            actor.does("tenant.marked", tenant, detail)
        };
        let now = self.clock.now();
        let mark = self.store.mark_tenant(tenant, &patch, entry, now).await?;
        self.catalog.refresh(tenant).await;
        // What waited for the tenant to be let in, or for its limit.
        self.wakes.look_for_unblocked(self.clock.now());
        Ok(mark)
    }
}
