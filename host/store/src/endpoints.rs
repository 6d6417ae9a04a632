//! Webhook endpoints.

use alerts_domain::Timestamp;
use alerts_domain::endpoint::{EndpointSpec, WebhookEndpoint};
use alerts_domain::id::EndpointId;
use alerts_domain::keyring::Sealed;
use alerts_domain::quota::{Quota, Quotas};
use alerts_domain::tenant::TenantId;
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

const TABLE: &str = "webhook_endpoints";
/// What is large in a row, in bytes.
const BYTES: &str = "octet_length(settings) + octet_length(headers) + octet_length(sealed_secrets)";

impl Store {
    /// Stores a new endpoint.
    ///
    /// # Errors
    /// [`StoreError::Quota`] when the tenant has as many as it may.
    pub async fn create_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        quotas: &Quotas,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant = &endpoint.tenant;
        self.retried(|| async {
            let mut change = self.change_catalog(tenant).await?;
            let insert = columns(endpoint)
                .set("tenant", tenant.as_str().to_owned())
                .set("id", endpoint.id.to_string())
                .set("managed_by", endpoint.managed_by.as_ref().map(ToString::to_string))
                .set("created_by", endpoint.created_by.clone())
                .set("created_at", us(endpoint.created_at))
                .insert(TABLE);
            insert.build().execute(change.connection()).await?;
            for what in [Quota::WebhookEndpoints, Quota::SecretBytes] {
                quotas::hold_to(change.connection(), tenant, quotas, what).await?;
            }
            change.commit(entry, now).await
        })
        .await
    }

    /// Stores a changed endpoint, unless it is no longer the one that was read:
    /// the one at version `read`. Says whether it was stored.
    ///
    /// # Errors
    /// [`StoreError::Quota`] when its secrets grow beyond what the tenant may have.
    pub async fn update_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        read: i64,
        quotas: &Quotas,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant = &endpoint.tenant;
        self.retried(|| async {
            let mut change = self.change_catalog(tenant).await?;
            let had = quotas::count(change.connection(), tenant, Quota::SecretBytes).await?;
            let mut update = columns(endpoint).update(TABLE);
            update.push(" WHERE tenant = ").bind(tenant.as_str().to_owned());
            update.push(" AND id = ").bind(endpoint.id.to_string());
            update.push(" AND version = ").bind(read).push(" AND deleted_at IS NULL");
            let updated = update.build().execute(change.connection()).await?;
            if updated.rows_affected() == 0 {
                return Ok(false);
            }
            // Who has more than a quota that was lowered may still change and take away.
            let has = quotas::count(change.connection(), tenant, Quota::SecretBytes).await?;
            if has > had {
                quotas.check(Quota::SecretBytes, has)?;
            }
            change.commit(entry, now).await?;
            Ok(true)
        })
        .await
    }

    /// One endpoint; a deleted one says when it was.
    pub async fn get_endpoint(
        &self,
        tenant: &TenantId,
        id: EndpointId,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        let row = sqlx::query("SELECT * FROM webhook_endpoints WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id.to_string())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// A tenant's endpoints without deleted ones, newest first, older than `before`.
    pub async fn list_endpoints(
        &self,
        tenant: &TenantId,
        limit: u32,
        before: Option<EndpointId>,
    ) -> Result<Page<WebhookEndpoint>, StoreError> {
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

    /// Marks an endpoint as deleted, perhaps only if it is still at version `read`. Says
    /// whether there was one.
    pub async fn delete_endpoint(
        &self,
        tenant: &TenantId,
        id: EndpointId,
        read: Option<i64>,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut change = self.change_catalog(tenant).await?;
            if !change.mark_deleted(TABLE, id, ("version", read), now).await? {
                return Ok(false);
            }
            change.commit(entry, now).await?;
            Ok(true)
        })
        .await
    }
}

/// All of a tenant's endpoints that are not deleted, without those that do not read.
pub(crate) async fn undeleted(
    store: &Store,
    tenant: &TenantId,
) -> Result<Vec<WebhookEndpoint>, StoreError> {
    let mut query = listed(store.dialect(), tenant, "*");
    query.push(" ORDER BY id");
    let rows = query.build().fetch_all(store.reader()).await?;
    store.all_readable(TABLE, &rows, read)
}

/// The ids and sizes of up to `limit + 1` endpoints, newest first.
pub(crate) fn keys(
    dialect: Dialect,
    tenant: &TenantId,
    before: Option<EndpointId>,
    limit: u32,
) -> Statement {
    let mut query = listed(dialect, tenant, &format!("id, CAST({BYTES} AS BIGINT) AS bytes"));
    Span { first: None, last: None, before }.push(&mut query);
    query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit) + 1);
    query
}

fn listed(dialect: Dialect, tenant: &TenantId, columns: &str) -> Statement {
    let through = dialect.through("webhook_endpoints_listed");
    let mut query = Statement::new(&format!(
        "SELECT {columns} FROM {TABLE}{through} WHERE deleted_at IS NULL AND tenant = "
    ));
    query.bind(tenant.as_str().to_owned());
    query
}

/// What may change of an endpoint, and when it did.
fn columns(endpoint: &WebhookEndpoint) -> Columns {
    let spec = &endpoint.spec;
    Columns::default()
        .set("name", spec.name.clone())
        .set("target_url", spec.target_url.clone())
        .set("target", spec.target.clone())
        .set("settings", json_text(&spec.settings))
        .set("headers", json_text(&spec.headers))
        .set("is_active", i64::from(spec.is_active))
        .set("include_event_data", i64::from(spec.include_event_data))
        .set("rate_limit", spec.rate_limit.as_ref().map(json_text))
        .set("gone_after", i64::from(spec.gone_after))
        .set("sealed_secrets", endpoint.sealed_secrets.as_str().to_owned())
        .set("version", endpoint.version)
        .set("updated_at", us(endpoint.updated_at))
        .set("deleted_at", endpoint.deleted_at.map(us))
}

fn read(row: &AnyRow) -> Result<WebhookEndpoint, StoreError> {
    let read = Reader::new(row, TABLE)?;
    Ok(WebhookEndpoint {
        id: read.parse("id")?,
        tenant: read.tenant()?,
        spec: EndpointSpec {
            name: read.get("name")?,
            target_url: read.get("target_url")?,
            target: read.get("target")?,
            settings: read.json("settings")?,
            headers: read.json("headers")?,
            is_active: read.bool("is_active")?,
            include_event_data: read.bool("include_event_data")?,
            rate_limit: read.json_optional("rate_limit")?,
            gone_after: read.count("gone_after")?,
        },
        sealed_secrets: Sealed::from_stored(read.get("sealed_secrets")?),
        version: read.get("version")?,
        managed_by: read.parse_optional("managed_by")?,
        created_by: read.get("created_by")?,
        created_at: read.time("created_at")?,
        updated_at: read.time("updated_at")?,
        deleted_at: read.time_optional("deleted_at")?,
    })
}
