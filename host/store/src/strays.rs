//! Deliveries that are leased to a host and in nobody's hands: a worker panicked,
//! or a commit stood whose answer was lost.

use alerts_domain::Timestamp;
use alerts_domain::id::{DeliveryId, HostId};
use alerts_domain::tenant::TenantId;
use sqlx::Row as _;

use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, us};

/// Most leases that are told of one host: more than any holds in memory.
const LIMIT: i64 = 100_000;

/// A lease as the database has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredLease {
    /// Whose delivery it is.
    pub tenant: TenantId,
    /// Which.
    pub id: DeliveryId,
    /// The lease's number.
    pub fence: i64,
}

impl Store {
    /// What the database has leased to a host, in no order.
    pub async fn leased_to(&self, host: HostId) -> Result<Vec<StoredLease>, StoreError> {
        let rows = sqlx::query(
            "SELECT tenant, id, lease_fence FROM deliveries
             WHERE status = 'leased' AND lease_host = $1 LIMIT $2",
        )
        .bind(host.to_string())
        .bind(LIMIT)
        .fetch_all(self.reader())
        .await?;
        let read = |row| {
            let read = Reader::new(row, "deliveries")?;
            let (tenant, id) = (read.tenant()?, read.parse("id")?);
            Ok(StoredLease { tenant, id, fence: row.try_get("lease_fence")? })
        };
        rows.iter().map(read).collect()
    }

    /// Makes due what is leased to a host under these leases, and nothing that was
    /// leased anew since. Says how many deliveries that were.
    pub async fn release_strays(
        &self,
        host: HostId,
        strays: &[StoredLease],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        // In the order of their keys, as all that locks several rows of a table.
        let mut strays: Vec<&StoredLease> = strays.iter().collect();
        strays.sort();
        let mut transaction = self.begin().await?;
        let mut released = 0;
        for StoredLease { tenant, id, fence } in strays {
            let done = sqlx::query(
                "UPDATE deliveries SET status = 'scheduled', next_attempt_at = $1, lease_host = NULL
                 WHERE tenant = $2 AND id = $3 AND status = 'leased' AND lease_host = $4
                   AND lease_fence = $5",
            )
            .bind(us(now))
            .bind(tenant.as_str())
            .bind(id.to_string())
            .bind(host.to_string())
            .bind(*fence)
            .execute(&mut *transaction)
            .await?;
            released += done.rows_affected();
        }
        transaction.commit().await?;
        Ok(released)
    }
}
