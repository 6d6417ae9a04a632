//! On whose behalf something is changed, and how that is told in the audit log.

use alerts_domain::tenant::TenantId;
use alerts_store::AuditEntry;
use serde_json::Value;

/// On whose behalf something is changed.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Whose resources.
    pub tenant: TenantId,
    /// Who, for the audit log and `created_by`.
    pub name: String,
}

impl Actor {
    /// The audit entry of something that this one does.
    pub fn does(&self, action: &'static str, resource: impl ToString, detail: Value) -> AuditEntry {
        AuditEntry {
            actor: self.name.clone(),
            action: action.to_owned(),
            resource: resource.to_string(),
            detail,
        }
    }
}
