//! Rate limiters as a host last had them, so that a limit holds across restarts and
//! kills. What a limiter is and what its time means is known to whoever keeps it.

use alerts_domain::Timestamp;
use sqlx::{AssertSqlSafe, Row as _};

use crate::batch::Batch;
use crate::batch::Column::{Number, Text};
use crate::error::StoreError;
use crate::open::Store;
use crate::row::us;

/// One rate limiter that holds something back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RateLimiter {
    /// What it limits, in the words of the host.
    pub scope: String,
    /// When it holds nothing back any more.
    pub free_at: Timestamp,
}

static KEEP: Batch = Batch::new(
    "INSERT INTO rate_limiters (scope, free_at)",
    &[Text, Number],
    // Hosts that share a database write of the same limits: the later one is the
    // safer one.
    "ON CONFLICT (scope) DO UPDATE SET free_at = excluded.free_at
     WHERE excluded.free_at > rate_limiters.free_at",
);

impl Store {
    /// Keeps limiters, and forgets up to `limit` that hold nothing back at `now`.
    pub async fn keep_rate_limiters(
        &self,
        limiters: &[RateLimiter],
        now: Timestamp,
        limit: u32,
    ) -> Result<(), StoreError> {
        // In one order everywhere, so that hosts do not wait for each other in a ring.
        let mut limiters: Vec<&RateLimiter> = limiters.iter().collect();
        limiters.sort_unstable();
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            KEEP.execute(&mut transaction, &limiters, |query, limiter| {
                query.bind(limiter.scope.clone()).bind(us(limiter.free_at))
            })
            .await?;
            // What another host has in its hands is left to it: waiting for it here would
            // break the order.
            sqlx::query(AssertSqlSafe(format!(
                "DELETE FROM rate_limiters WHERE scope IN (
                    SELECT scope FROM rate_limiters WHERE free_at <= $1
                    ORDER BY scope LIMIT $2{})",
                self.dialect().skip_locked()
            )))
            .bind(us(now))
            .bind(i64::from(limit))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await
        })
        .await
    }

    /// The limiters that hold something back at `now`.
    pub async fn rate_limiters(&self, now: Timestamp) -> Result<Vec<RateLimiter>, StoreError> {
        let rows = sqlx::query("SELECT scope, free_at FROM rate_limiters WHERE free_at > $1")
            .bind(us(now))
            .fetch_all(self.background())
            .await?;
        let read = |row: &sqlx::any::AnyRow| {
            let (scope, free_at): (String, i64) = (row.try_get("scope")?, row.try_get("free_at")?);
            let free_at = Timestamp::from_microsecond(free_at)
                .map_err(|error| StoreError::damaged("rate_limiters", &scope, error))?;
            Ok(RateLimiter { scope, free_at })
        };
        rows.iter().map(read).collect()
    }
}
