//! What is old enough is removed, a bounded number of rows in each commit, so that
//! intake never waits long.
//!
//! Ids begin with the time at which they were made, so what is old lies together
//! at the beginning of each tenant's rows.

use alerts_domain::Timestamp;
use alerts_domain::id::{DeliveryId, EventId};
use alerts_domain::tenant::TenantId;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::Reader;
use crate::statement::Statement;

/// What is kept for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// What was sent and answered, by the age of the delivery it was for.
    Attempts,
    /// Deliveries that have reached a terminal state. Their attempts have a time of
    /// their own.
    Deliveries,
    /// Events with no rules that are still to be asked.
    Events,
    /// What is newest of each ordering key, by the age of that delivery.
    OrderingKeys,
}

impl Kept {
    /// All of them, what refers to others first.
    pub const ALL: [Self; 4] = [Self::Attempts, Self::Deliveries, Self::Events, Self::OrderingKeys];

    /// The word in metrics.
    pub fn word(self) -> &'static str {
        self.table()
    }

    fn table(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Deliveries => "deliveries",
            Self::Events => "events",
            Self::OrderingKeys => "ordering_keys",
        }
    }

    /// The id by which its rows are in order of time.
    fn key(self) -> &'static str {
        match self {
            Self::Attempts => "delivery_id",
            Self::Deliveries | Self::Events => "id",
            Self::OrderingKeys => "newest_id",
        }
    }

    /// What makes a row's key unique beside that.
    fn rest_of_key(self) -> &'static str {
        match self {
            Self::Attempts => ", number",
            Self::Deliveries | Self::Events => "",
            Self::OrderingKeys => ", endpoint_id, ordering_key",
        }
    }

    /// Which rows may go at all.
    fn condition(self) -> &'static str {
        match self {
            Self::Attempts | Self::OrderingKeys => "",
            Self::Deliveries => " AND status NOT IN ('scheduled', 'leased')",
            Self::Events => " AND pending_rules IS NULL",
        }
    }

    fn first_kept(self, before: Timestamp) -> String {
        match self {
            Self::Attempts | Self::Deliveries | Self::OrderingKeys => {
                DeliveryId::new(before, 0).to_string()
            }
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
        let rows = tenants_with_old(kept, before).build().fetch_all(self.background()).await?;
        self.all_readable(kept.table(), &rows, |row| Reader::new(row, kept.table())?.tenant())
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
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let removal = removal(self.dialect(), kept, tenant, before, limit);
            let removed = removal.build().execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(removed.rows_affected())
        })
        .await
    }
}

pub(crate) fn tenants_with_old(kept: Kept, before: Timestamp) -> Statement {
    let (table, key) = (kept.table(), kept.key());
    // From one tenant to the next, instead of over all their rows.
    let mut query = Statement::new(&format!(
        "WITH RECURSIVE walk (tenant) AS (
            SELECT min(tenant) FROM {table}
            UNION ALL
            SELECT (SELECT min(tenant) FROM {table} WHERE tenant > walk.tenant)
            FROM walk WHERE walk.tenant IS NOT NULL)
         SELECT tenant, tenant AS id FROM walk WHERE tenant IS NOT NULL AND EXISTS (
            SELECT 1 FROM {table} AS old WHERE old.tenant = walk.tenant AND old.{key} < "
    ));
    query.bind(kept.first_kept(before)).push(")");
    query
}

/// Two hosts that do this at once take different rows, and do not wait for each other.
pub(crate) fn removal(
    dialect: Dialect,
    kept: Kept,
    tenant: &TenantId,
    before: Timestamp,
    limit: u32,
) -> Statement {
    let (table, key) = (kept.table(), kept.key());
    let whole_key = format!("tenant, {key}{}", kept.rest_of_key());
    let mut query =
        Statement::new(&format!("WITH old AS (SELECT {whole_key} FROM {table} WHERE tenant = "));
    query.bind(tenant.as_str().to_owned());
    query.push(&format!(" AND {key} < ")).bind(kept.first_kept(before));
    query.push(kept.condition()).push(&format!(" ORDER BY {key} LIMIT "));
    query.bind(i64::from(limit)).push(dialect.skip_locked());
    query.push(&format!(
        ") DELETE FROM {table} WHERE ({whole_key}) IN (SELECT {whole_key} FROM old)"
    ));
    query
}
