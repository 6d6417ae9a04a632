//! A tenant's revision, and everything of a tenant that matching needs.

use alerts_domain::Timestamp;
use alerts_domain::endpoint::WebhookEndpoint;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::rule::AlertRule;
use alerts_domain::tenant::TenantId;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::audit::AuditEntry;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text};
use crate::{endpoints, rules};

/// What a tenant has, at one revision.
#[derive(Debug, Clone)]
pub struct ActiveTenant {
    /// Raised by every change; zero for a tenant that never changed anything.
    pub revision: i64,
    /// All that are not deleted, switched off ones too.
    pub endpoints: Vec<WebhookEndpoint>,
    /// All that are not deleted, switched off ones too.
    pub rules: Vec<AlertRule>,
    /// What the operator decided about it.
    pub mark: TenantMark,
}

/// What the operator decides about a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantMark {
    /// Whether alerts are open to it while they are not open to all.
    pub is_beta: bool,
    /// How many deliveries may start for it; none means the host's default.
    pub rate_limit: Option<RateLimit>,
}

impl Store {
    /// The tenant's endpoints and rules.
    pub async fn active_tenant(&self, tenant: &TenantId) -> Result<ActiveTenant, StoreError> {
        // The revision is read first: a change in between is then seen as news
        // and read again, never missed.
        let row = sqlx::query("SELECT *, tenant AS id FROM tenants WHERE tenant = $1")
            .bind(tenant.as_str())
            .fetch_optional(self.reader())
            .await?;
        let (revision, mark) = match &row {
            Some(row) => (row.try_get("revision")?, read_mark(row)?),
            None => (0, TenantMark::default()),
        };
        Ok(ActiveTenant {
            revision,
            mark,
            endpoints: endpoints::undeleted(self, tenant).await?,
            rules: rules::undeleted(self, tenant).await?,
        })
    }

    /// Tenants by name, after `after`: those that ever changed something.
    pub async fn list_tenants(
        &self,
        limit: u32,
        after: Option<&TenantId>,
    ) -> Result<Vec<(TenantId, TenantMark)>, StoreError> {
        let rows = sqlx::query(
            "SELECT *, tenant AS id FROM tenants WHERE tenant > $1 AND tenant <> '*'
             ORDER BY tenant LIMIT $2",
        )
        .bind(after.map_or("", TenantId::as_str).to_owned())
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        let read = |row: &AnyRow| Ok((Reader::new(row, "tenants")?.tenant()?, read_mark(row)?));
        rows.iter().map(read).collect()
    }

    /// Keeps what the operator decided about a tenant.
    pub async fn mark_tenant(
        &self,
        tenant: &TenantId,
        mark: &TenantMark,
        entry: &AuditEntry,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.change(tenant).await?;
        sqlx::query("UPDATE tenants SET is_beta = $2, rate_limit = $3 WHERE tenant = $1")
            .bind(tenant.as_str())
            .bind(i64::from(mark.is_beta))
            .bind(mark.rate_limit.as_ref().map(json_text))
            .execute(change.connection())
            .await?;
        change.commit(entry, now).await
    }

    /// Every tenant's revision, to see what other hosts have changed. Without the
    /// host's own row, which is there for its audit log.
    pub async fn revisions(&self) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let rows = sqlx::query("SELECT tenant, revision FROM tenants WHERE tenant <> '*'")
            .fetch_all(self.reader())
            .await?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get("tenant")?;
                let tenant = TenantId::new(&name)
                    .map_err(|error| StoreError::damaged("tenants", &name, error.detail))?;
                Ok((tenant, row.try_get("revision")?))
            })
            .collect()
    }
}

fn read_mark(row: &AnyRow) -> Result<TenantMark, StoreError> {
    let read = Reader::new(row, "tenants")?;
    Ok(TenantMark { is_beta: read.bool("is_beta")?, rate_limit: read.json_optional("rate_limit")? })
}

/// Raises a tenant's revision. First in every change: it holds the tenant's row
/// until the commit, so that the changes of one tenant come one after another.
pub(crate) async fn raise_revision(
    connection: &mut AnyConnection,
    tenant: &TenantId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tenants (tenant, revision) VALUES ($1, 1)
         ON CONFLICT (tenant) DO UPDATE SET revision = tenants.revision + 1",
    )
    .bind(tenant.as_str())
    .execute(connection)
    .await?;
    Ok(())
}
