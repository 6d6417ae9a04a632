//! What is old enough is removed, a bounded number of rows in each commit, so that
//! intake never waits long.
//!
//! Ids begin with the time at which they were made, so what is old lies together
//! at the beginning of each tenant's rows.

use alerts_domain::Timestamp;
use alerts_domain::id::{DeliveryId, EventId};
use alerts_domain::tenant::TenantId;
use sqlx::{AssertSqlSafe, Row as _};

use crate::error::StoreError;
use crate::open::Store;

/// What is kept for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// What was sent and answered.
    Attempts,
    /// Deliveries that have reached a terminal state, with what is left of their attempts.
    Deliveries,
    /// Events with no rules that are still to be asked.
    Events,
}

impl Kept {
    /// All of them, what refers to others first.
    pub const ALL: [Self; 3] = [Self::Attempts, Self::Deliveries, Self::Events];

    /// The word in metrics.
    pub fn word(self) -> &'static str {
        self.table()
    }

    fn table(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Deliveries => "deliveries",
            Self::Events => "events",
        }
    }

    /// The id by which its rows are in order of time.
    fn key(self) -> &'static str {
        match self {
            Self::Attempts => "delivery_id",
            Self::Deliveries | Self::Events => "id",
        }
    }

    /// What makes a row's key unique beside that.
    fn rest_of_key(self) -> &'static str {
        match self {
            Self::Attempts => ", number",
            Self::Deliveries | Self::Events => "",
        }
    }

    /// Which rows may go at all.
    fn condition(self) -> &'static str {
        match self {
            Self::Attempts => "",
            Self::Deliveries => " AND status NOT IN ('scheduled', 'leased')",
            Self::Events => " AND pending_rules IS NULL",
        }
    }

    fn first_kept(self, before: Timestamp) -> String {
        match self {
            Self::Attempts | Self::Deliveries => DeliveryId::new(before, 0).to_string(),
            Self::Events => EventId::new(before, 0).to_string(),
        }
    }
}

impl Store {
    /// The tenants of which something older than `before` is stored.
    pub async fn tenants_with_old(
        &self,
        kept: Kept,
        before: Timestamp,
    ) -> Result<Vec<TenantId>, StoreError> {
        let (table, key) = (kept.table(), kept.key());
        // From one tenant to the next, instead of over all their rows.
        let rows = sqlx::query(AssertSqlSafe(format!(
            "WITH RECURSIVE walk (tenant) AS (
                SELECT min(tenant) FROM {table}
                UNION ALL
                SELECT (SELECT min(tenant) FROM {table} WHERE tenant > walk.tenant)
                FROM walk WHERE walk.tenant IS NOT NULL)
             SELECT tenant FROM walk WHERE tenant IS NOT NULL AND EXISTS (
                SELECT 1 FROM {table} AS old WHERE old.tenant = walk.tenant AND old.{key} < $1)"
        )))
        .bind(kept.first_kept(before))
        .fetch_all(self.reader())
        .await?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get("tenant")?;
                TenantId::new(&name)
                    .map_err(|error| StoreError::damaged(table, &name, error.detail))
            })
            .collect()
    }

    /// Removes up to `limit` of a tenant's rows older than `before`, the oldest
    /// first. Says how many.
    pub async fn remove_old(
        &self,
        kept: Kept,
        tenant: &TenantId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let (table, key, rest) = (kept.table(), kept.key(), kept.rest_of_key());
        let condition = kept.condition();
        let mut transaction = self.begin().await?;
        let removed = sqlx::query(AssertSqlSafe(format!(
            "DELETE FROM {table} WHERE (tenant, {key}{rest}) IN (
                SELECT tenant, {key}{rest} FROM {table}
                WHERE tenant = $1 AND {key} < $2{condition} ORDER BY {key} LIMIT $3)"
        )))
        .bind(tenant.as_str().to_owned())
        .bind(kept.first_kept(before))
        .bind(i64::from(limit))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(removed.rows_affected())
    }
}
