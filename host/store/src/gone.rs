//! How many times in a row a rule's target has said that it is gone: counted in
//! the database, in the same commit as the attempt, so that several hosts count
//! as one and a restart forgets nothing.

use std::collections::BTreeSet;

use alerts_domain::delivery::Transition;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::batch::Column::Text;
use crate::batch::{Batch, Query};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::finished::{Ended, Finished};

/// What is counted for: a rule's alerts to one endpoint.
type Key<'f> = (&'f TenantId, EndpointId, RuleId);

static TENANTS: Batch = Batch::new(
    "SELECT tenant FROM tenants WHERE tenant IN (",
    &[Text],
    ") ORDER BY tenant FOR UPDATE",
);

/// Locks the tenants whose rules this group of results may switch off. First in
/// its transaction, as in every other that changes what a tenant has.
pub(crate) async fn lock_tenants(
    connection: &mut AnyConnection,
    group: &[&Ended],
) -> Result<(), StoreError> {
    // SQLite has one writer: whatever it locks is locked already.
    if Dialect::of_connection(connection) == Dialect::Sqlite {
        return Ok(());
    }
    let may_switch_off = |end: &Transition| {
        matches!(end, Transition::Gone { .. } | Transition::Bury { disable_rule: true, .. })
    };
    let finishes = group.iter().map(|ended| ended.finished());
    let tenants: BTreeSet<&TenantId> =
        finishes.filter(|f| may_switch_off(&f.transition)).map(|f| &f.tenant).collect();
    let tenants: Vec<&TenantId> = tenants.into_iter().collect();
    TENANTS
        .fetch(connection, &tenants, |query, tenant| query.bind(tenant.as_str().to_owned()))
        .await?;
    Ok(())
}

/// On Postgres: the counts that a group of results touches, in their order. Those
/// that are not there yet are made under their tenant's lock.
static LOCK: Batch = Batch::new(
    "SELECT times FROM gone_counts WHERE (tenant, webhook_endpoint_id, alert_rule_id) IN (",
    &[Text, Text, Text],
    ") ORDER BY tenant, webhook_endpoint_id, alert_rule_id FOR UPDATE",
);

static RESET: Batch = Batch::new(
    "WITH delivered (tenant, endpoint, rule) AS (",
    &[Text, Text, Text],
    ") DELETE FROM gone_counts WHERE (tenant, webhook_endpoint_id, alert_rule_id) IN
        (SELECT tenant, endpoint, rule FROM delivered)",
);

/// The counts, and what is known of them.
#[derive(Debug, Default)]
pub(crate) struct GoneCounts {
    /// There are none. Known on SQLite only, where nobody else counts.
    is_empty: bool,
}

impl GoneCounts {
    /// Counts what a group of results says, in their order. Answers with where each
    /// goes now that this is known.
    pub(crate) async fn count(
        &mut self,
        connection: &mut AnyConnection,
        finishes: &[&Finished],
    ) -> Result<Vec<Transition>, StoreError> {
        let mut ends: Vec<Transition> = finishes.iter().map(|f| f.transition.clone()).collect();
        let is_gone = |end: &Transition| matches!(end, Transition::Gone { .. });
        if !ends.iter().any(is_gone) && !self.any(connection).await? {
            return Ok(ends);
        }
        self.is_empty = false;
        lock(connection, finishes).await?;
        let mut delivered: BTreeSet<Key<'_>> = BTreeSet::new();
        for (finished, end) in finishes.iter().zip(&mut ends) {
            let Some(rule) = finished.alert_rule_id else { continue };
            let key = (&finished.tenant, finished.webhook_endpoint_id, rule);
            if matches!(end, Transition::Deliver) {
                delivered.insert(key);
            } else if is_gone(end) {
                reset(connection, std::mem::take(&mut delivered)).await?;
                if holds_lease(connection, finished).await? {
                    let times = count_one(connection, key).await?;
                    *end = end.clone().counted(times);
                    if matches!(end, Transition::Bury { disable_rule: true, .. }) {
                        // Switched on again, the rule starts anew.
                        reset(connection, BTreeSet::from([key])).await?;
                    }
                }
            }
        }
        reset(connection, delivered).await?;
        Ok(ends)
    }

    /// Usually not, and then there is nothing to reset.
    async fn any(&mut self, connection: &mut AnyConnection) -> Result<bool, StoreError> {
        if self.is_empty {
            return Ok(false);
        }
        let row = sqlx::query("SELECT 1 FROM gone_counts LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
        self.is_empty = row.is_none() && Dialect::of_connection(connection) == Dialect::Sqlite;
        Ok(row.is_some())
    }
}

async fn lock(connection: &mut AnyConnection, finishes: &[&Finished]) -> Result<(), StoreError> {
    if Dialect::of_connection(connection) == Dialect::Sqlite {
        return Ok(());
    }
    let key = |f: &&'_ Finished| Some((f.tenant.clone(), f.webhook_endpoint_id, f.alert_rule_id?));
    let keys: BTreeSet<(TenantId, EndpointId, RuleId)> = finishes.iter().filter_map(key).collect();
    let keys: Vec<Key<'_>> = keys.iter().map(|(t, endpoint, rule)| (t, *endpoint, *rule)).collect();
    LOCK.fetch(connection, &keys, bind_key).await?;
    Ok(())
}

async fn reset(connection: &mut AnyConnection, keys: BTreeSet<Key<'_>>) -> Result<(), StoreError> {
    let keys: Vec<Key<'_>> = keys.into_iter().collect();
    RESET.execute(connection, &keys, bind_key).await?;
    Ok(())
}

fn bind_key(query: Query, (tenant, endpoint, rule): &Key<'_>) -> Query {
    query.bind(tenant.as_str().to_owned()).bind(endpoint.to_string()).bind(rule.to_string())
}

/// A worker that lost its delivery must not count for it.
async fn holds_lease(
    connection: &mut AnyConnection,
    finished: &Finished,
) -> Result<bool, StoreError> {
    let for_update = Dialect::of_connection(connection).for_update();
    let held = sqlx::query(AssertSqlSafe(format!(
        "SELECT 1 FROM deliveries WHERE tenant = $1 AND id = $2
         AND status = 'leased' AND lease_host = $3 AND lease_fence = $4{for_update}"
    )))
    .bind(finished.tenant.as_str())
    .bind(finished.id.to_string())
    .bind(finished.lease.host.to_string())
    .bind(finished.lease.fence)
    .fetch_optional(connection)
    .await?;
    Ok(held.is_some())
}

async fn count_one(connection: &mut AnyConnection, key: Key<'_>) -> Result<u32, StoreError> {
    let (tenant, endpoint, rule) = key;
    let row = sqlx::query(
        "INSERT INTO gone_counts (tenant, webhook_endpoint_id, alert_rule_id, times)
         VALUES ($1, $2, $3, 1)
         ON CONFLICT (tenant, webhook_endpoint_id, alert_rule_id)
         DO UPDATE SET times = gone_counts.times + 1
         RETURNING times",
    )
    .bind(tenant.as_str())
    .bind(endpoint.to_string())
    .bind(rule.to_string())
    .fetch_one(connection)
    .await?;
    let times: i64 = row.try_get("times")?;
    Ok(u32::try_from(times).unwrap_or(u32::MAX))
}
