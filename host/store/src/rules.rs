//! Alert rules.

use alerts_domain::Timestamp;
use alerts_domain::id::RuleId;
use alerts_domain::rule::{AlertRule, EventTypePattern, RuleSpec};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::Trigger;
use sqlx::any::AnyRow;

use crate::audit::AuditEntry;
use crate::batch::Query;
use crate::error::StoreError;
use crate::open::Store;
use crate::page::Page;
use crate::row::{Reader, json_text, us};
use crate::triggers::{TriggerChange, follow_rule};

impl Store {
    /// Stores a new rule.
    pub async fn create_rule(
        &self,
        rule: &AlertRule,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.change(&rule.tenant).await?;
        let insert = sqlx::query(
            "INSERT INTO alert_rules (tenant, id, name, event_type, condition,
                webhook_endpoint_id, trigger_spec, retry_policy, rate_limit, is_active,
                disabled_reason, last_condition_error, updated_at, deleted_at, created_by,
                created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        );
        bind(insert, rule)
            .bind(rule.created_by.as_str())
            .bind(us(rule.created_at))
            .execute(change.connection())
            .await?;
        change.commit(entry, now).await
    }

    /// Stores a changed rule, unless it is no longer the one that was read: the
    /// one last changed at `read`. `trigger` says what becomes of what it
    /// remembers. Says whether it was stored.
    pub async fn update_rule(
        &self,
        rule: &AlertRule,
        read: Timestamp,
        trigger: TriggerChange,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut change = self.change(&rule.tenant).await?;
        let update = sqlx::query(
            "UPDATE alert_rules SET name = $3, event_type = $4, condition = $5,
                webhook_endpoint_id = $6, trigger_spec = $7, retry_policy = $8, rate_limit = $9,
                is_active = $10, disabled_reason = $11, last_condition_error = $12,
                updated_at = $13, deleted_at = $14
             WHERE tenant = $1 AND id = $2 AND updated_at = $15 AND deleted_at IS NULL",
        );
        let updated = bind(update, rule).bind(us(read)).execute(change.connection()).await?;
        if updated.rows_affected() == 0 {
            return Ok(false);
        }
        follow_rule(change.connection(), &rule.tenant, rule.id, trigger).await?;
        change.commit(entry, now).await?;
        Ok(true)
    }

    /// One rule; a deleted one says when it was.
    pub async fn get_rule(
        &self,
        tenant: &TenantId,
        id: RuleId,
    ) -> Result<Option<AlertRule>, StoreError> {
        let row = sqlx::query("SELECT * FROM alert_rules WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id.to_string())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// A tenant's rules without deleted ones, newest first, older than `before`.
    pub async fn list_rules(
        &self,
        tenant: &TenantId,
        limit: u32,
        before: Option<RuleId>,
    ) -> Result<Page<AlertRule>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM alert_rules
             WHERE tenant = $1 AND deleted_at IS NULL AND ($2 IS NULL OR id < $2)
             ORDER BY id DESC LIMIT $3",
        )
        .bind(tenant.as_str())
        .bind(before.map(|id| id.to_string()))
        .bind(i64::from(limit) + 1)
        .fetch_all(self.reader())
        .await?;
        Page::of(rows, limit, |row| read(&row))
    }

    /// Marks a rule as deleted. Says whether there was one.
    pub async fn delete_rule(
        &self,
        tenant: &TenantId,
        id: RuleId,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut change = self.change(tenant).await?;
        if !change.mark_deleted("alert_rules", id, now).await? {
            return Ok(false);
        }
        follow_rule(change.connection(), tenant, id, TriggerChange::Forget).await?;
        change.commit(entry, now).await?;
        Ok(true)
    }
}

/// All of a tenant's rules that are not deleted.
pub(crate) async fn undeleted(
    store: &Store,
    tenant: &TenantId,
) -> Result<Vec<AlertRule>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM alert_rules WHERE tenant = $1 AND deleted_at IS NULL ORDER BY id",
    )
    .bind(tenant.as_str())
    .fetch_all(store.reader())
    .await?;
    rows.iter().map(read).collect()
}

/// $1 to $14: key, what may change, and when it did.
fn bind(query: Query, rule: &AlertRule) -> Query {
    let spec = &rule.spec;
    query
        .bind(rule.tenant.as_str().to_owned())
        .bind(rule.id.to_string())
        .bind(spec.name.clone())
        .bind(spec.event_type.as_str().to_owned())
        .bind(spec.condition.as_ref().map(json_text))
        .bind(spec.webhook_endpoint_id.to_string())
        .bind(json_text(&spec.trigger))
        .bind(json_text(&spec.retry_policy))
        .bind(spec.rate_limit.as_ref().map(json_text))
        .bind(i64::from(spec.is_active))
        .bind(rule.disabled_reason.clone())
        .bind(rule.last_condition_error.clone())
        .bind(us(rule.updated_at))
        .bind(rule.deleted_at.map(us))
}

fn read(row: &AnyRow) -> Result<AlertRule, StoreError> {
    let read = Reader::new(row, "alert_rules")?;
    let event_type: String = read.get("event_type")?;
    Ok(AlertRule {
        id: read.parse("id")?,
        tenant: read.tenant()?,
        spec: RuleSpec {
            name: read.get("name")?,
            event_type: EventTypePattern::new(&event_type)
                .map_err(|error| read.damaged("event_type", error.detail))?,
            condition: read.json_optional("condition")?,
            webhook_endpoint_id: read.parse("webhook_endpoint_id")?,
            trigger: Trigger::from_stored(&read.get::<String>("trigger_spec")?)
                .map_err(|error| read.damaged("trigger_spec", error))?,
            retry_policy: read.json("retry_policy")?,
            rate_limit: read.json_optional("rate_limit")?,
            is_active: read.bool("is_active")?,
        },
        disabled_reason: read.get("disabled_reason")?,
        last_condition_error: read.get("last_condition_error")?,
        created_by: read.get("created_by")?,
        created_at: read.time("created_at")?,
        updated_at: read.time("updated_at")?,
        deleted_at: read.time_optional("deleted_at")?,
    })
}
