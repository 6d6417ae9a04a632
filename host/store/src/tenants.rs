//! A tenant's revision, and everything of a tenant that matching needs.

use alerts_domain::endpoint::WebhookEndpoint;
use alerts_domain::rule::AlertRule;
use alerts_domain::tenant::TenantId;
use sqlx::{AnyConnection, Row as _};

use crate::error::StoreError;
use crate::open::Store;
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
}

impl Store {
    /// The tenant's endpoints and rules.
    pub async fn active_tenant(&self, tenant: &TenantId) -> Result<ActiveTenant, StoreError> {
        // The revision is read first: a change in between is then seen as news
        // and read again, never missed.
        let row = sqlx::query("SELECT revision FROM tenants WHERE tenant = $1")
            .bind(tenant.as_str())
            .fetch_optional(self.reader())
            .await?;
        let revision = row.map_or(Ok(0), |row| row.try_get("revision"))?;
        Ok(ActiveTenant {
            revision,
            endpoints: endpoints::undeleted(self, tenant).await?,
            rules: rules::undeleted(self, tenant).await?,
        })
    }

    /// Every tenant's revision, to see what other hosts have changed.
    pub async fn revisions(&self) -> Result<Vec<(TenantId, i64)>, StoreError> {
        let rows =
            sqlx::query("SELECT tenant, revision FROM tenants").fetch_all(self.reader()).await?;
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
