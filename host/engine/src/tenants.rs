//! What an operator decides about a tenant.

use alerts_domain::problem::FieldError;
use alerts_domain::tenant::TenantId;
use alerts_store::{TenantMark, TenantPatch};
use serde_json::json;

use crate::Actor;
use crate::endpoints::audit;
use crate::engine::Engine;
use crate::error::ChangeError;

impl Engine {
    /// What was decided about a tenant; the defaults for one that is not known.
    pub async fn tenant_mark(&self, tenant: &TenantId) -> Result<TenantMark, ChangeError> {
        Ok(self.store().active_tenant(tenant).await?.mark)
    }

    /// Decides about a tenant. Written into the tenant's own audit log.
    pub async fn mark_tenant(
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
        let changed: Vec<&str> = patch.fields().collect();
        let entry = |mark: &TenantMark| {
            let detail = json!({"changed": changed, "is_beta": mark.is_beta,
                "rate_limit": mark.rate_limit});
            audit(&actor, "tenant.marked", tenant, detail)
        };
        let now = self.clock().now();
        let mark = self.store().mark_tenant(tenant, &patch, entry, now).await?;
        self.catalog().refresh(tenant).await;
        // What waited for the tenant to be let in, or for its limit.
        self.dispatcher().wake_at(self.clock().now());
        Ok(mark)
    }
}
