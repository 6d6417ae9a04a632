//! Webhooks in, and how each goes.

use alerts_domain::Timestamp;
use alerts_domain::id::SourceId;
use alerts_domain::keyring::Sealed;
use alerts_domain::quota::{Quota, Quotas};
use alerts_domain::source::{SourceSpec, WebhookSource};
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;

use crate::audit::AuditEntry;
use crate::columns::Columns;
use crate::error::StoreError;
use crate::open::Store;
use crate::quotas;
use crate::row::{Reader, json_text, us};

const TABLE: &str = "webhook_sources";

/// A webhook in, and how it goes in the words of whoever takes its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWebhookSource {
    /// What a person has made of it.
    pub source: WebhookSource,
    /// None before the first request.
    pub status: Option<String>,
}

impl Store {
    /// Stores a new source.
    ///
    /// # Errors
    /// [`StoreError::Quota`] when the tenant has as many as it may.
    pub async fn create_webhook_source(
        &self,
        source: &WebhookSource,
        quotas: &Quotas,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant = &source.tenant;
        self.retried(|| async {
            let mut change = self.change(tenant).await?;
            let insert = columns(source)
                .set("id", source.id.to_string())
                .set("tenant", tenant.as_str().to_owned())
                .set("kind", source.spec.kind.as_str())
                .set("created_by", source.created_by.clone())
                .set("created_at", us(source.created_at))
                .insert(TABLE);
            insert.build().execute(change.connection()).await?;
            quotas::hold_to(change.connection(), tenant, quotas, Quota::Sources).await?;
            change.commit(entry, now).await
        })
        .await
    }

    /// Stores a changed source, unless it is no longer the one at version `read`. Says
    /// whether it was stored.
    pub async fn update_webhook_source(
        &self,
        source: &WebhookSource,
        read: i64,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut change = self.change(&source.tenant).await?;
            let mut update = columns(source).update(TABLE);
            update.push(" WHERE tenant = ").bind(source.tenant.as_str().to_owned());
            update.push(" AND id = ").bind(source.id.to_string());
            update.push(" AND version = ").bind(read);
            let updated = update.build().execute(change.connection()).await?;
            if updated.rows_affected() == 0 {
                return Ok(false);
            }
            change.commit(entry, now).await?;
            Ok(true)
        })
        .await
    }

    /// Removes a source with its secret, perhaps only if it is still at version `read`. Says
    /// whether there was one.
    pub async fn delete_webhook_source(
        &self,
        tenant: &TenantId,
        id: SourceId,
        read: Option<i64>,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.retried(|| async {
            let mut change = self.change(tenant).await?;
            let deleted = sqlx::query(
                "DELETE FROM webhook_sources
                 WHERE tenant = $1 AND id = $2 AND version = COALESCE($3, version)",
            )
            .bind(tenant.as_str().to_owned())
            .bind(id.to_string())
            .bind(read)
            .execute(change.connection())
            .await?;
            if deleted.rows_affected() == 0 {
                return Ok(false);
            }
            change.commit(entry, now).await?;
            Ok(true)
        })
        .await
    }

    /// The source with this id, whoever's it is: its sender names no tenant.
    pub async fn find_webhook_source(
        &self,
        id: SourceId,
    ) -> Result<Option<StoredWebhookSource>, StoreError> {
        let row = sqlx::query("SELECT * FROM webhook_sources WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// All of a tenant's sources, newest first: there are no more than its quota.
    pub async fn list_webhook_sources(
        &self,
        tenant: &TenantId,
    ) -> Result<Vec<StoredWebhookSource>, StoreError> {
        let rows = sqlx::query("SELECT * FROM webhook_sources WHERE tenant = $1 ORDER BY id DESC")
            .bind(tenant.as_str().to_owned())
            .fetch_all(self.reader())
            .await?;
        self.all_readable(TABLE, &rows, read)
    }

    /// Notes how a source goes.
    pub async fn note_webhook_source(&self, id: SourceId, status: &str) -> Result<(), StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            sqlx::query("UPDATE webhook_sources SET status = $2 WHERE id = $1")
                .bind(id.to_string())
                .bind(status.to_owned())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
        .await
    }
}

/// What may change of a source, and when it did.
fn columns(source: &WebhookSource) -> Columns {
    Columns::default()
        .set("name", source.spec.name.clone())
        .set("mapping", source.spec.mapping.as_ref().map(json_text))
        .set("sealed_secret", source.sealed_secret.as_str().to_owned())
        .set("version", source.version)
        .set("updated_at", us(source.updated_at))
}

fn read(row: &AnyRow) -> Result<StoredWebhookSource, StoreError> {
    let read = Reader::new(row, TABLE)?;
    let source = WebhookSource {
        id: read.parse("id")?,
        tenant: read.tenant()?,
        spec: SourceSpec {
            name: read.get("name")?,
            kind: read.parse("kind")?,
            mapping: read.json_optional("mapping")?,
        },
        sealed_secret: Sealed::from_stored(read.get("sealed_secret")?),
        version: read.get("version")?,
        created_by: read.get("created_by")?,
        created_at: read.time("created_at")?,
        updated_at: read.time("updated_at")?,
    };
    Ok(StoredWebhookSource { source, status: read.get("status")? })
}
