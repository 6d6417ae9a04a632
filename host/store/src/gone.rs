//! How many times in a row a rule's target has said that it is gone: counted in
//! the database, in the same commit as the attempt, so that several hosts count
//! as one and a restart forgets nothing.

use std::collections::BTreeSet;

use alerts_domain::delivery::Transition;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::batch::Batch;
use crate::batch::Column::Text;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::finish::Finished;

/// What is counted for: a rule's alerts to one endpoint.
type Key<'f> = (&'f TenantId, EndpointId, RuleId);

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

async fn reset(connection: &mut AnyConnection, keys: BTreeSet<Key<'_>>) -> Result<(), StoreError> {
    let keys: Vec<Key<'_>> = keys.into_iter().collect();
    RESET
        .execute(connection, &keys, |query, (tenant, endpoint, rule)| {
            query.bind(tenant.as_str().to_owned()).bind(endpoint.to_string()).bind(rule.to_string())
        })
        .await?;
    Ok(())
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
