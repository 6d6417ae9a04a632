//! API keys, by their digests.

use alerts_domain::Timestamp;
use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::ApiKeyId;
use alerts_domain::quota::{Quota, Quotas};
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;

use crate::audit::{AuditEntry, log_of};
use crate::error::StoreError;
use crate::open::Store;
use crate::page::Page;
use crate::row::{Reader, us};
use crate::{quotas, sessions};

impl Store {
    /// Stores a key. Written into its tenant's audit log, a platform key into the
    /// host's own.
    ///
    /// # Errors
    /// [`StoreError::Quota`] when the tenant has as many as it may.
    pub async fn create_api_key(
        &self,
        key: &ApiKey,
        quotas: &Quotas,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let owner = log_of(key.tenant.as_ref());
        let mut change = self.change(&owner).await?;
        sqlx::query(
            "INSERT INTO api_keys (id, tenant, name, role, digest, created_by, created_at,
                expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(key.id.to_string())
        .bind(key.tenant.as_ref().map(|tenant| tenant.as_str().to_owned()))
        .bind(key.name.as_str())
        .bind(key.role.as_str())
        .bind(key.digest.to_string())
        .bind(key.created_by.as_str())
        .bind(us(key.created_at))
        .bind(key.expires_at.map(us))
        .execute(change.connection())
        .await?;
        if key.tenant.is_some() {
            quotas::hold_to(change.connection(), &owner, quotas, Quota::ApiKeys).await?;
        }
        change.commit(entry, now).await
    }

    /// Takes a key back, and with it the sessions that it has opened: a tenant's, or a
    /// platform key for `None`. Gives the digest of the key that there was.
    pub async fn delete_api_key(
        &self,
        tenant: Option<&TenantId>,
        id: ApiKeyId,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<Option<KeyDigest>, StoreError> {
        let owner = log_of(tenant);
        let mut change = self.change(&owner).await?;
        let deleted = sqlx::query(
            "DELETE FROM api_keys
             WHERE id = $1 AND (tenant = $2 OR (tenant IS NULL AND $2 IS NULL))
             RETURNING id, digest",
        )
        .bind(id.to_string())
        .bind(tenant.map(|tenant| tenant.as_str().to_owned()))
        .fetch_optional(change.connection())
        .await?;
        let Some(deleted) = deleted else { return Ok(None) };
        let digest = Reader::new(&deleted, "api_keys")?.parse("digest")?;
        sessions::end_with_key(change.connection(), id).await?;
        change.commit(entry, now).await?;
        Ok(Some(digest))
    }

    /// The key with this digest: one row of a unique index.
    pub async fn find_api_key(&self, digest: &KeyDigest) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query("SELECT * FROM api_keys WHERE digest = $1")
            .bind(digest.to_string())
            .fetch_optional(self.reader())
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The keys of a tenant, or of the platform for `None`, the newest first.
    pub async fn list_api_keys(
        &self,
        tenant: Option<&TenantId>,
        limit: u32,
        before: Option<ApiKeyId>,
    ) -> Result<Page<ApiKey>, StoreError> {
        // In two statements, since an index is not looked at for `a = b OR …`. Ids
        // are plain ASCII, so the largest character stands after each of them.
        let newest = before.map_or_else(|| "~".to_owned(), |id| id.to_string());
        let rows = match tenant {
            Some(tenant) => {
                sqlx::query(
                    "SELECT * FROM api_keys WHERE tenant = $1 AND id < $2
                     ORDER BY id DESC LIMIT $3",
                )
                .bind(tenant.as_str().to_owned())
                .bind(newest)
                .bind(i64::from(limit) + 1)
                .fetch_all(self.reader())
                .await?
            }
            None => {
                sqlx::query(
                    "SELECT * FROM api_keys WHERE tenant IS NULL AND id < $1
                     ORDER BY id DESC LIMIT $2",
                )
                .bind(newest)
                .bind(i64::from(limit) + 1)
                .fetch_all(self.reader())
                .await?
            }
        };
        self.page_of_small("api_keys", rows, limit, read)
    }

    /// Whether anybody holds a platform key that works at `now`.
    pub async fn has_platform_key(&self, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "SELECT id FROM api_keys WHERE tenant IS NULL AND role = $1
                AND (expires_at IS NULL OR expires_at > $2)
             LIMIT 1",
        )
        .bind(Role::Platform.as_str())
        .bind(us(now))
        .fetch_optional(self.reader())
        .await?;
        Ok(row.is_some())
    }
}

fn read(row: &AnyRow) -> Result<ApiKey, StoreError> {
    let read = Reader::new(row, "api_keys")?;
    Ok(ApiKey {
        id: read.parse("id")?,
        tenant: read.tenant_optional()?,
        name: read.get("name")?,
        role: read.parse("role")?,
        digest: read.parse("digest")?,
        created_by: read.get("created_by")?,
        created_at: read.time("created_at")?,
        expires_at: read.time_optional("expires_at")?,
    })
}
