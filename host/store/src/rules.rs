//! Alert rules.

use alerts_domain::Timestamp;
use alerts_domain::id::RuleId;
use alerts_domain::quota::{Quota, Quotas};
use alerts_domain::rule::{AlertRule, EventTypePattern, RuleSpec};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::Trigger;
use sqlx::any::AnyRow;

use crate::audit::AuditEntry;
use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::Store;
use crate::page::{List, Order, Page, Span};
use crate::quotas;
use crate::row::{Reader, json_text, us};
use crate::statement::Statement;
use crate::triggers::{TriggerChange, follow_rule};

const TABLE: &str = "alert_rules";
/// What is large in a row, in bytes.
const BYTES: &str = "octet_length(trigger_spec) + octet_length(retry_policy)
    + COALESCE(octet_length(condition), 0) + COALESCE(octet_length(disabled_reason), 0)
    + COALESCE(octet_length(last_condition_error), 0)";

impl Store {
    /// Stores a new rule.
    ///
    /// # Errors
    /// [`StoreError::Quota`] when the tenant has as many as it may.
    pub async fn create_rule(
        &self,
        rule: &AlertRule,
        quotas: &Quotas,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.retried(|| async {
            let mut change = self.change_catalog(&rule.tenant).await?;
            let insert = columns(rule)
                .set("tenant", rule.tenant.as_str().to_owned())
                .set("id", rule.id.to_string())
                .set("managed_by", rule.managed_by.as_ref().map(ToString::to_string))
                .set("created_by", rule.created_by.clone())
                .set("created_at", us(rule.created_at))
                .insert(TABLE);
            insert.build().execute(change.connection()).await?;
            quotas::hold_to(change.connection(), &rule.tenant, quotas, Quota::AlertRules).await?;
            change.commit(entry, now).await
        })
        .await
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
        self.retried(|| async {
            let mut change = self.change_catalog(&rule.tenant).await?;
            let mut update = columns(rule).update(TABLE);
            update.push(" WHERE tenant = ").bind(rule.tenant.as_str().to_owned());
            update.push(" AND id = ").bind(rule.id.to_string());
            update.push(" AND updated_at = ").bind(us(read)).push(" AND deleted_at IS NULL");
            let updated = update.build().execute(change.connection()).await?;
            if updated.rows_affected() == 0 {
                return Ok(false);
            }
            follow_rule(change.connection(), &rule.tenant, rule.id, trigger).await?;
            change.commit(entry, now).await?;
            Ok(true)
        })
        .await
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
        let list = List {
            from: self.reader(),
            table: TABLE,
            keys: |before: Option<&str>| {
                let before = before.and_then(|id| id.parse().ok());
                keys(self.dialect(), tenant, before, limit)
            },
            rows: |ids: &[String]| self.rows_of(TABLE, tenant, Order::NewestFirst, ids),
        };
        self.page(list, limit, before.map(|id| id.to_string()), read).await
    }

    /// Marks a rule as deleted, perhaps only if it was last changed at `read`. Says
    /// whether there was one.
    pub async fn delete_rule(
        &self,
        tenant: &TenantId,
        id: RuleId,
        read: Option<Timestamp>,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut change = self.change_catalog(tenant).await?;
            if !change.mark_deleted(TABLE, id, ("updated_at", read.map(us)), now).await? {
                return Ok(false);
            }
            follow_rule(change.connection(), tenant, id, TriggerChange::Forget).await?;
            change.commit(entry, now).await?;
            Ok(true)
        })
        .await
    }
}

/// All of a tenant's rules that are not deleted, without those that do not read.
pub(crate) async fn undeleted(
    store: &Store,
    tenant: &TenantId,
) -> Result<Vec<AlertRule>, StoreError> {
    let mut query = listed(store.dialect(), tenant, "*");
    query.push(" ORDER BY id");
    let rows = query.build().fetch_all(store.reader()).await?;
    store.all_readable(TABLE, &rows, read)
}

/// The ids and sizes of up to `limit + 1` rules, newest first.
pub(crate) fn keys(
    dialect: Dialect,
    tenant: &TenantId,
    before: Option<RuleId>,
    limit: u32,
) -> Statement {
    let mut query = listed(dialect, tenant, &format!("id, CAST({BYTES} AS BIGINT) AS bytes"));
    Span { first: None, last: None, before }.push(&mut query);
    query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit) + 1);
    query
}

fn listed(dialect: Dialect, tenant: &TenantId, columns: &str) -> Statement {
    let through = dialect.through("alert_rules_listed");
    let mut query = Statement::new(&format!(
        "SELECT {columns} FROM {TABLE}{through} WHERE deleted_at IS NULL AND tenant = "
    ));
    query.bind(tenant.as_str().to_owned());
    query
}

/// What may change of a rule, and when it did.
fn columns(rule: &AlertRule) -> Columns {
    let spec = &rule.spec;
    let condition = spec.condition.as_ref();
    Columns::default()
        .set("name", spec.name.clone())
        .set("event_type", spec.event_type.as_str().to_owned())
        .set("condition", condition.map(json_text))
        .set("condition_language", condition.map(|condition| condition.language.clone()))
        .set("webhook_endpoint_id", spec.webhook_endpoint_id.to_string())
        .set("trigger_spec", json_text(&spec.trigger))
        .set("retry_policy", json_text(&spec.retry_policy))
        .set("rate_limit", spec.rate_limit.as_ref().map(json_text))
        .set("is_active", i64::from(spec.is_active))
        .set("disabled_reason", rule.disabled_reason.clone())
        .set("last_condition_error", rule.last_condition_error.clone())
        .set("updated_at", us(rule.updated_at))
        .set("deleted_at", rule.deleted_at.map(us))
}

fn read(row: &AnyRow) -> Result<AlertRule, StoreError> {
    let read = Reader::new(row, TABLE)?;
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
        managed_by: read.parse_optional("managed_by")?,
        created_by: read.get("created_by")?,
        created_at: read.time("created_at")?,
        updated_at: read.time("updated_at")?,
        deleted_at: read.time_optional("deleted_at")?,
    })
}
