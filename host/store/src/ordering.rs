//! Ordering keys: of the deliveries to one endpoint with the same key one is on its way
//! at a time, and one that is older than the newest is not sent any more.

use alerts_domain::delivery::Lease;
use alerts_domain::id::{DeliveryId, EndpointId};
use alerts_domain::tenant::TenantId;
use sqlx::{AssertSqlSafe, Row as _};

use crate::error::StoreError;
use crate::open::Store;
use crate::row::Reader;

/// A delivery with an ordering key that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// What it is about there.
    pub key: String,
    /// Which delivery. Those made later have greater ids.
    pub id: DeliveryId,
    /// Under which its sender holds it.
    pub lease: Lease,
}

/// Whether a delivery with an ordering key may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It may.
    Next,
    /// Not before this one, which is on its way, has come to an end.
    After(DeliveryId),
    /// No more: this one is newer.
    Superseded(DeliveryId),
}

impl Store {
    /// Asks for a delivery's turn among those with its key. It keeps it for as long as
    /// its lease holds.
    pub async fn take_order(&self, ordered: &Ordered) -> Result<Order, StoreError> {
        let Ordered { tenant, endpoint, key, id, lease } = ordered;
        let read_known = format!(
            "SELECT ordering_key AS id, newest_id, holder_id,
                (SELECT count(*) FROM deliveries WHERE deliveries.tenant = ordering_keys.tenant
                    AND deliveries.id = holder_id AND status = 'leased'
                    AND lease_host = holder_host AND lease_fence = holder_fence) AS on_its_way
             FROM ordering_keys WHERE tenant = $1 AND endpoint_id = $2 AND ordering_key = $3{}",
            self.dialect().for_update()
        );
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let made = sqlx::query(
                "INSERT INTO ordering_keys
                    (tenant, endpoint_id, ordering_key, newest_id, holder_id, holder_host,
                     holder_fence)
                 VALUES ($1, $2, $3, $4, $4, $5, $6) ON CONFLICT DO NOTHING",
            )
            .bind(tenant.as_str())
            .bind(endpoint.to_string())
            .bind(key)
            .bind(id.to_string())
            .bind(lease.host.to_string())
            .bind(lease.fence)
            .execute(&mut *transaction)
            .await?;
            if made.rows_affected() > 0 {
                transaction.commit().await?;
                return Ok(Order::Next);
            }
            let known = sqlx::query(AssertSqlSafe(read_known.clone()))
                .bind(tenant.as_str())
                .bind(endpoint.to_string())
                .bind(key)
                .fetch_one(&mut *transaction)
                .await?;
            let read = Reader::new(&known, "ordering_keys")?;
            let newest: DeliveryId = read.parse("newest_id")?;
            if newest > *id {
                return Ok(Order::Superseded(newest));
            }
            let holder: DeliveryId = read.parse("holder_id")?;
            let on_its_way: i64 = known.try_get("on_its_way")?;
            let order = match on_its_way > 0 && holder != *id {
                true => Order::After(holder),
                false => Order::Next,
            };
            // The newest also while it waits: what went before it is not sent again.
            sqlx::query(
                "UPDATE ordering_keys SET newest_id = $4,
                    holder_id = CASE WHEN $7 = 1 THEN $4 ELSE holder_id END,
                    holder_host = CASE WHEN $7 = 1 THEN $5 ELSE holder_host END,
                    holder_fence = CASE WHEN $7 = 1 THEN $6 ELSE holder_fence END
                 WHERE tenant = $1 AND endpoint_id = $2 AND ordering_key = $3",
            )
            .bind(tenant.as_str())
            .bind(endpoint.to_string())
            .bind(key)
            .bind(id.to_string())
            .bind(lease.host.to_string())
            .bind(lease.fence)
            .bind(i64::from(order == Order::Next))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(order)
        })
        .await
    }
}
