//! Deliveries that nobody could send for so long that nobody could act on them any more.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::delivery::Delivery;
use alerts_domain::retry::RetryPolicy;
use sqlx::AssertSqlSafe;

use crate::deliveries::read_delivery;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, us};

impl Store {
    /// Gives up deliveries that have been due for longer than an alert may be
    /// old, `limit` at most: their endpoints took nothing for so long. Says how many.
    pub async fn expire_due(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let too_old = now.saturating_sub(Duration::from_millis(RetryPolicy::MAX_AGE_MS));
        let too_old = us(too_old.unwrap_or(Timestamp::MIN));
        const OLD: &str = "status = 'scheduled' AND next_attempt_at < $1";
        let any =
            sqlx::query(AssertSqlSafe(format!("SELECT 1 FROM deliveries WHERE {OLD} LIMIT 1")))
                .bind(too_old)
                .fetch_optional(self.background())
                .await?;
        if any.is_none() {
            return Ok(0);
        }
        let statement = format!(
            "WITH expired (tenant, id) AS (
                SELECT tenant, id FROM deliveries WHERE {OLD}
                ORDER BY next_attempt_at LIMIT $3{})
             UPDATE deliveries SET status = 'dead', next_attempt_at = NULL, finished_at = $2,
                last_error = 'gave up because the alert is over a week old'
                    || COALESCE(': ' || last_error, '')
             WHERE (tenant, id) IN (SELECT tenant, id FROM expired)
             RETURNING *, (SELECT event_type FROM events
                WHERE events.tenant = deliveries.tenant AND events.id = deliveries.event_id)
                AS event_type",
            self.dialect().skip_locked()
        );
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let rows = sqlx::query(AssertSqlSafe(statement.clone()))
                .bind(too_old)
                .bind(us(now))
                .bind(i64::from(limit))
                .fetch_all(&mut *transaction)
                .await?;
            let expired = self.all_readable("deliveries", &rows, |row| {
                let event_type = Reader::new(row, "deliveries")?.get("event_type")?;
                Ok::<(Delivery, Option<String>), _>((read_delivery(row)?, event_type))
            })?;
            let mut ledger = self.ledger();
            for (delivery, event_type) in expired {
                ledger.expired(&delivery, event_type, now);
            }
            ledger.write(&mut transaction).await?;
            transaction.commit().await?;
            ledger.tell(self.dialect());
            Ok(rows.len() as u64)
        })
        .await
    }
}
