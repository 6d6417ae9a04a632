//! API keys, by their digests.

use alerts_domain::Timestamp;
use alerts_domain::api_key::ApiKey;
use alerts_domain::id::ApiKeyId;
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;

use crate::audit::AuditEntry;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, us};

impl Store {
    /// Stores a key. Written into its tenant's audit log, a platform key into the
    /// host's own.
    pub async fn create_api_key(
        &self,
        key: &ApiKey,
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
        change.commit(entry, now).await
    }

    /// Takes a key back: a tenant's, or a platform key for `None`. Says whether
    /// there was one.
    pub async fn delete_api_key(
        &self,
        tenant: Option<&TenantId>,
        id: ApiKeyId,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let owner = log_of(tenant);
        let mut change = self.change(&owner).await?;
        let deleted = sqlx::query(
            "DELETE FROM api_keys
             WHERE id = $1 AND (tenant = $2 OR (tenant IS NULL AND $2 IS NULL))",
        )
        .bind(id.to_string())
        .bind(tenant.map(|tenant| tenant.as_str().to_owned()))
        .execute(change.connection())
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        change.commit(entry, now).await?;
        Ok(true)
    }

    /// Every key there is, of all tenants: a host holds them in memory.
    pub async fn all_api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM api_keys ORDER BY id").fetch_all(self.reader()).await?;
        rows.iter().map(read).collect()
    }
}

/// In whose log it stands what is done to a key: the host's own for a platform key.
fn log_of(tenant: Option<&TenantId>) -> TenantId {
    tenant.cloned().unwrap_or_else(TenantId::host)
}

fn read(row: &AnyRow) -> Result<ApiKey, StoreError> {
    let read = Reader::new(row, "api_keys")?;
    let tenant: Option<String> = read.get("tenant")?;
    Ok(ApiKey {
        id: read.parse("id")?,
        tenant: tenant
            .map(|name| TenantId::new(&name).map_err(|e| read.damaged("tenant", e.detail)))
            .transpose()?,
        name: read.get("name")?,
        role: read.parse("role")?,
        digest: read.parse("digest")?,
        created_by: read.get("created_by")?,
        created_at: read.time("created_at")?,
        expires_at: read.time_optional("expires_at")?,
    })
}
