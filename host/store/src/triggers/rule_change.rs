//! What becomes of a rule's memories when the rule is changed.

use alerts_domain::id::RuleId;
use alerts_domain::tenant::TenantId;
use sqlx::AnyConnection;

use crate::dialect::Dialect;
use crate::error::StoreError;

/// What a change of a rule means for what it remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TriggerChange {
    /// Nothing.
    None,
    /// It is another kind of trigger now, or groups by other fields.
    Forget,
    /// Runs may take longer or shorter.
    Shift {
        /// By this many microseconds.
        by_us: i64,
    },
}

/// A rule was changed: what it watches is due earlier or later by this much, or
/// what it remembers is of no more use.
pub(crate) async fn follow_rule(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    rule: RuleId,
    change: TriggerChange,
) -> Result<(), StoreError> {
    if change == TriggerChange::None {
        return Ok(());
    }
    lock_all(connection, tenant, rule).await?;
    let query = match change {
        TriggerChange::None => return Ok(()),
        TriggerChange::Forget => {
            sqlx::query("DELETE FROM trigger_states WHERE tenant = $1 AND rule_id = $2")
                .bind(tenant.as_str().to_owned())
                .bind(rule.to_string())
        }
        TriggerChange::Shift { by_us } => sqlx::query(
            "UPDATE trigger_states SET due_at = due_at + $3
             WHERE tenant = $1 AND rule_id = $2 AND due_at IS NOT NULL",
        )
        .bind(tenant.as_str().to_owned())
        .bind(rule.to_string())
        .bind(by_us),
    };
    query.execute(connection).await?;
    Ok(())
}

/// Locks all of a rule's memories, in the order of their keys. SQLite has one
/// writer, which has no order to keep.
async fn lock_all(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    rule: RuleId,
) -> Result<(), StoreError> {
    if Dialect::of_connection(connection) == Dialect::Sqlite {
        return Ok(());
    }
    sqlx::query(
        "SELECT count(*) FROM (SELECT 1 FROM trigger_states WHERE tenant = $1 AND rule_id = $2
            ORDER BY key FOR UPDATE) AS locked",
    )
    .bind(tenant.as_str().to_owned())
    .bind(rule.to_string())
    .execute(connection)
    .await?;
    Ok(())
}
