//! A tenant's row as the lock under which all that it has is changed.

use alerts_domain::tenant::TenantId;
use sqlx::AnyConnection;

use crate::error::StoreError;

/// Takes a tenant's row until the commit: the changes of one tenant, and what is
/// written into its audit log, come one after another. Always taken first, before
/// any other row of the tenant's.
pub(crate) async fn hold(
    connection: &mut AnyConnection,
    tenant: &TenantId,
) -> Result<(), StoreError> {
    raise(connection, tenant, 0).await
}

/// The same for a change of the tenant's catalog: hosts see by its revision that
/// they must read it anew.
pub(crate) async fn raise_revision(
    connection: &mut AnyConnection,
    tenant: &TenantId,
) -> Result<(), StoreError> {
    raise(connection, tenant, 1).await
}

async fn raise(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    revision: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tenants (tenant, revision, audit_revision) VALUES ($1, $2, 1)
         ON CONFLICT (tenant) DO UPDATE SET revision = tenants.revision + excluded.revision,
            audit_revision = tenants.audit_revision + 1",
    )
    .bind(tenant.as_str())
    .bind(revision)
    .execute(connection)
    .await?;
    Ok(())
}
