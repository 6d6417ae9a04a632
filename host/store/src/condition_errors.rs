//! What conditions failed with, shown on their rules: many at once, since a tenant
//! can make every rule fail on every event.

use alerts_domain::Timestamp;
use alerts_domain::id::RuleId;
use alerts_domain::tenant::TenantId;

use crate::error::StoreError;
use crate::open::Store;
use crate::row::us;

/// The newest error of a rule's condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// Whose rule it is.
    pub tenant: TenantId,
    /// Which.
    pub rule: RuleId,
    /// When the rule was last changed, as whoever asked its condition knew it.
    pub rule_updated_at: Timestamp,
    /// What the condition failed with.
    pub error: String,
}

impl Store {
    /// Shows errors on their rules, in one transaction. A rule that was changed
    /// since is left alone: the error was another condition's. No change for other
    /// hosts to follow, nor one for the audit log.
    pub async fn record_condition_errors(
        &self,
        errors: &[ConditionError],
    ) -> Result<(), StoreError> {
        if errors.is_empty() {
            return Ok(());
        }
        // In the order of their keys, as all that locks several rows of a table.
        let mut errors: Vec<&ConditionError> = errors.iter().collect();
        errors.sort_by(|a, b| (&a.tenant, a.rule).cmp(&(&b.tenant, b.rule)));
        let mut transaction = self.begin().await?;
        for ConditionError { tenant, rule, rule_updated_at, error } in errors {
            sqlx::query(
                "UPDATE alert_rules SET last_condition_error = $4
                 WHERE tenant = $1 AND id = $2 AND updated_at = $3",
            )
            .bind(tenant.as_str())
            .bind(rule.to_string())
            .bind(us(*rule_updated_at))
            .bind(error)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }
}
