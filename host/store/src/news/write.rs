//! News of a database with several hosts: a row of the transaction that they are about.

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use sqlx::AnyConnection;

use super::change::News;
use crate::error::StoreError;
use crate::row::{json_text, us};

/// Writes what a transaction tells, as a part of it.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    news: &[(TenantId, News)],
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO news (at, told) VALUES ($1, $2)")
        .bind(us(at))
        .bind(json_text(&news))
        .execute(connection)
        .await?;
    Ok(())
}
