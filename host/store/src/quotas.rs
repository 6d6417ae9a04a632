//! What a tenant has, held against its quotas inside the change that adds to it:
//! the change holds the tenant's row, so two at once cannot both be the last.

use alerts_domain::quota::{Quota, Quotas};
use alerts_domain::tenant::TenantId;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::dialect::Dialect;
use crate::error::StoreError;

/// Refuses a change after which the tenant has more of these than it may.
pub(crate) async fn hold_to(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    quotas: &Quotas,
    what: Quota,
) -> Result<(), StoreError> {
    let count = count(connection, tenant, what).await?;
    Ok(quotas.check(what, count)?)
}

/// How many of these a tenant has now. A platform key is the host's.
pub(crate) async fn count(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    what: Quota,
) -> Result<u64, StoreError> {
    let dialect = Dialect::of_connection(connection);
    let endpoints = dialect.through("webhook_endpoints_listed");
    let query = match what {
        Quota::AlertRules => format!(
            "SELECT count(*) AS n FROM alert_rules{}
             WHERE tenant = $1 AND deleted_at IS NULL",
            dialect.through("alert_rules_listed")
        ),
        Quota::WebhookEndpoints => format!(
            "SELECT count(*) AS n FROM webhook_endpoints{endpoints}
             WHERE tenant = $1 AND deleted_at IS NULL"
        ),
        Quota::SecretBytes => format!(
            "SELECT CAST(COALESCE(sum(octet_length(sealed_secrets)), 0) AS BIGINT) AS n
             FROM webhook_endpoints{endpoints} WHERE tenant = $1 AND deleted_at IS NULL"
        ),
        Quota::Sources => "SELECT count(*) AS n FROM webhook_sources WHERE tenant = $1".to_owned(),
        Quota::ApiKeys => {
            "SELECT count(*) AS n FROM api_keys WHERE COALESCE(tenant, '*') = $1".to_owned()
        }
    };
    let row = sqlx::query(AssertSqlSafe(query))
        .bind(tenant.as_str().to_owned())
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(row.try_get::<i64, _>("n")?).unwrap_or(0))
}
