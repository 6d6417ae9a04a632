//! Webhook endpoints.

use alerts_domain::Timestamp;
use alerts_domain::endpoint::{EndpointSpec, WebhookEndpoint};
use alerts_domain::id::EndpointId;
use alerts_domain::keyring::Sealed;
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;

use crate::audit::AuditEntry;
use crate::batch::Query;
use crate::error::StoreError;
use crate::open::Store;
use crate::page::Page;
use crate::row::{Reader, json_text, us};

impl Store {
    /// Stores a new endpoint.
    pub async fn create_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.change(&endpoint.tenant).await?;
        let insert = sqlx::query(
            "INSERT INTO webhook_endpoints (tenant, id, name, target_url, target, settings,
                headers, is_active, include_event_data, rate_limit, gone_after, sealed_secrets,
                version, updated_at, deleted_at, created_by, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        );
        bind(insert, endpoint)
            .bind(endpoint.created_by.as_str())
            .bind(us(endpoint.created_at))
            .execute(change.connection())
            .await?;
        change.commit(entry, now).await
    }

    /// Stores a changed endpoint, unless it is no longer the one that was read:
    /// the one at version `read`. Says whether it was stored.
    pub async fn update_endpoint(
        &self,
        endpoint: &WebhookEndpoint,
        read: i64,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut change = self.change(&endpoint.tenant).await?;
        let update = sqlx::query(
            "UPDATE webhook_endpoints SET name = $3, target_url = $4, target = $5, settings = $6,
                headers = $7, is_active = $8, include_event_data = $9, rate_limit = $10,
                gone_after = $11, sealed_secrets = $12, version = $13, updated_at = $14,
                deleted_at = $15
             WHERE tenant = $1 AND id = $2 AND version = $16 AND deleted_at IS NULL",
        );
        let updated = bind(update, endpoint).bind(read).execute(change.connection()).await?;
        if updated.rows_affected() == 0 {
            return Ok(false);
        }
        change.commit(entry, now).await?;
        Ok(true)
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
        let rows = sqlx::query(
            "SELECT * FROM webhook_endpoints
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

    /// Marks an endpoint as deleted. Says whether there was one.
    pub async fn delete_endpoint(
        &self,
        tenant: &TenantId,
        id: EndpointId,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut change = self.change(tenant).await?;
        if !change.mark_deleted("webhook_endpoints", id, now).await? {
            return Ok(false);
        }
        change.commit(entry, now).await?;
        Ok(true)
    }
}

/// All of a tenant's endpoints that are not deleted.
pub(crate) async fn undeleted(
    store: &Store,
    tenant: &TenantId,
) -> Result<Vec<WebhookEndpoint>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM webhook_endpoints WHERE tenant = $1 AND deleted_at IS NULL")
            .bind(tenant.as_str())
            .fetch_all(store.reader())
            .await?;
    rows.iter().map(read).collect()
}

/// $1 to $15: key, what may change, and when it did.
fn bind(query: Query, endpoint: &WebhookEndpoint) -> Query {
    let spec = &endpoint.spec;
    query
        .bind(endpoint.tenant.as_str().to_owned())
        .bind(endpoint.id.to_string())
        .bind(spec.name.clone())
        .bind(spec.target_url.clone())
        .bind(spec.target.clone())
        .bind(json_text(&spec.settings))
        .bind(json_text(&spec.headers))
        .bind(i64::from(spec.is_active))
        .bind(i64::from(spec.include_event_data))
        .bind(spec.rate_limit.as_ref().map(json_text))
        .bind(i64::from(spec.gone_after))
        .bind(endpoint.sealed_secrets.as_str().to_owned())
        .bind(endpoint.version)
        .bind(us(endpoint.updated_at))
        .bind(endpoint.deleted_at.map(us))
}

fn read(row: &AnyRow) -> Result<WebhookEndpoint, StoreError> {
    let read = Reader::new(row, "webhook_endpoints")?;
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
        created_by: read.get("created_by")?,
        created_at: read.time("created_at")?,
        updated_at: read.time("updated_at")?,
        deleted_at: read.time_optional("deleted_at")?,
    })
}
