//! What only a host that lives may hold: freed in a database that hosts of another time
//! or place have left, so that nothing in it acts as if they were still there.

use alerts_domain::Timestamp;
use sqlx::AnyConnection;

use crate::error::StoreError;
use crate::row::us;

/// Tables of which every row is about hosts that live: who they are, and what they have
/// yet to tell each other.
pub(crate) const OF_LIVING_HOSTS: [&str; 3] = ["hosts", "news", "news_watches"];

/// Makes due what hosts hold and forgets the hosts. The caller has the database for
/// itself. Says how many deliveries that were.
pub(crate) async fn free(
    connection: &mut AnyConnection,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let freed = sqlx::query(
        "UPDATE deliveries SET status = 'scheduled', next_attempt_at = $1, lease_host = NULL
         WHERE status = 'leased'",
    )
    .bind(us(now))
    .execute(&mut *connection)
    .await?;
    for table in OF_LIVING_HOSTS {
        let emptied = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
        sqlx::query(emptied).execute(&mut *connection).await?;
    }
    Ok(freed.rows_affected())
}
