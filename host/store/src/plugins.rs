//! Uploaded plugin files, who may use which plugin, and what it may use.

use alerts_domain::Timestamp;
use alerts_domain::plugin_limits::PluginLimits;
use alerts_domain::tenant::TenantId;
use alerts_domain::text::is_storable;
use sqlx::Row as _;

use crate::audit::AuditEntry;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text, us};

/// An uploaded plugin, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPlugin {
    /// From its manifest.
    pub id: String,
    /// Of its file, as `sha256:…`.
    pub digest: String,
    /// Who uploaded it.
    pub uploaded_by: String,
    /// When.
    pub uploaded_at: Timestamp,
}

/// One tenant's right to use a plugin that is not open to all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginGrant {
    /// To whom.
    pub tenant: TenantId,
    /// Where the plugin may send for this tenant, besides the endpoint's own
    /// host; none means where its manifest says.
    pub hosts: Option<Vec<String>>,
}

/// Who does something to a plugin: written into the audit log in the same
/// transaction, so that neither is ever without the other.
#[derive(Debug, Clone, Copy)]
pub struct OperatorChange<'a> {
    /// In whose log: the tenant for which the operator's key acts.
    pub tenant: &'a TenantId,
    /// What is written there.
    pub entry: &'a AuditEntry,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// Keeps an uploaded file, in place of an older one with the same id.
    pub async fn put_plugin(
        &self,
        plugin: &UploadedPlugin,
        wasm: &[u8],
        by: &OperatorChange<'_>,
    ) -> Result<(), StoreError> {
        self.retried(|| async {
            let mut change = self.change(by.tenant).await?;
            sqlx::query(
                "INSERT INTO plugins (id, digest, wasm, uploaded_by, uploaded_at)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, wasm = excluded.wasm,
                    uploaded_by = excluded.uploaded_by, uploaded_at = excluded.uploaded_at",
            )
            .bind(plugin.id.as_str())
            .bind(plugin.digest.as_str())
            .bind(wasm.to_vec())
            .bind(plugin.uploaded_by.as_str())
            .bind(us(plugin.uploaded_at))
            .execute(change.connection())
            .await?;
            change.commit(by.entry, by.at).await
        })
        .await
    }

    /// All uploaded plugins, without their bytes.
    pub async fn list_plugins(&self) -> Result<Vec<UploadedPlugin>, StoreError> {
        let rows =
            sqlx::query("SELECT id, digest, uploaded_by, uploaded_at FROM plugins ORDER BY id")
                .fetch_all(self.reader())
                .await?;
        self.all_readable("plugins", &rows, |row| {
            let read = Reader::new(row, "plugins")?;
            Ok(UploadedPlugin {
                id: read.get("id")?,
                digest: read.get("digest")?,
                uploaded_by: read.get("uploaded_by")?,
                uploaded_at: read.time("uploaded_at")?,
            })
        })
    }

    /// The bytes of an uploaded plugin.
    pub async fn get_plugin_file(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if !is_storable(id) {
            return Ok(None);
        }
        let row = sqlx::query("SELECT wasm FROM plugins WHERE id = $1")
            .bind(id)
            .fetch_optional(self.reader())
            .await?;
        Ok(row.map(|row| row.try_get("wasm")).transpose()?)
    }

    /// Forgets an uploaded plugin. Says whether there was one.
    pub async fn delete_plugin(
        &self,
        id: &str,
        by: &OperatorChange<'_>,
    ) -> Result<bool, StoreError> {
        if !is_storable(id) {
            return Ok(false);
        }
        self.retried(|| async {
            let mut change = self.change(by.tenant).await?;
            let deleted = sqlx::query("DELETE FROM plugins WHERE id = $1")
                .bind(id)
                .execute(change.connection())
                .await?;
            change.commit(by.entry, by.at).await?;
            Ok(deleted.rows_affected() > 0)
        })
        .await
    }

    /// How many endpoints and rules of all tenants refer to a plugin.
    pub async fn uses_of_plugin(&self, id: &str) -> Result<u64, StoreError> {
        if !is_storable(id) {
            return Ok(0);
        }
        let row = sqlx::query(
            "SELECT (SELECT count(*) FROM webhook_endpoints
                     WHERE target = $1 AND deleted_at IS NULL)
                  + (SELECT count(*) FROM alert_rules
                     WHERE condition_language = $1 AND deleted_at IS NULL) AS uses",
        )
        .bind(id)
        .fetch_one(self.reader())
        .await?;
        let uses: i64 = row.try_get("uses")?;
        Ok(u64::try_from(uses).unwrap_or(0))
    }

    /// Who may use which plugin; a plugin that is not named is open to all. So a
    /// grant that does not read fails all of them: left out, it might open one.
    pub async fn plugin_grants(&self) -> Result<Vec<(String, PluginGrant)>, StoreError> {
        let rows = sqlx::query(
            "SELECT plugin_id AS id, tenant, hosts FROM plugin_grants ORDER BY plugin_id, tenant",
        )
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                let read = Reader::new(row, "plugin_grants")?;
                let grant = PluginGrant { tenant: read.tenant()?, hosts: read.json("hosts")? };
                Ok((read.get("id")?, grant))
            })
            .collect()
    }

    /// Replaces a plugin's grants; with none it is open to all.
    pub async fn set_plugin_grants(
        &self,
        id: &str,
        grants: &[PluginGrant],
        by: &OperatorChange<'_>,
    ) -> Result<(), StoreError> {
        self.retried(|| async {
            let mut change = self.change(by.tenant).await?;
            sqlx::query("DELETE FROM plugin_grants WHERE plugin_id = $1")
                .bind(id)
                .execute(change.connection())
                .await?;
            for grant in grants {
                sqlx::query(
                    "INSERT INTO plugin_grants (plugin_id, tenant, hosts) VALUES ($1, $2, $3)",
                )
                .bind(id)
                .bind(grant.tenant.as_str())
                .bind(json_text(&grant.hosts))
                .execute(change.connection())
                .await?;
            }
            change.commit(by.entry, by.at).await
        })
        .await
    }

    /// The limits that operators have set, by plugin; a plugin that is not
    /// named has the host's.
    pub async fn plugin_limits(&self) -> Result<Vec<(String, PluginLimits)>, StoreError> {
        let rows = sqlx::query("SELECT plugin_id AS id, limits FROM plugin_limits ORDER BY id")
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| {
                let read = Reader::new(row, "plugin_limits")?;
                Ok((read.get("id")?, read.json("limits")?))
            })
            .collect()
    }

    /// Replaces a plugin's limits; with none set it has the host's again.
    pub async fn set_plugin_limits(
        &self,
        id: &str,
        limits: &PluginLimits,
        by: &OperatorChange<'_>,
    ) -> Result<(), StoreError> {
        self.retried(|| async {
            let mut change = self.change(by.tenant).await?;
            sqlx::query("DELETE FROM plugin_limits WHERE plugin_id = $1")
                .bind(id)
                .execute(change.connection())
                .await?;
            if !limits.is_empty() {
                sqlx::query("INSERT INTO plugin_limits (plugin_id, limits) VALUES ($1, $2)")
                    .bind(id)
                    .bind(json_text(limits))
                    .execute(change.connection())
                    .await?;
            }
            change.commit(by.entry, by.at).await
        })
        .await
    }
}
