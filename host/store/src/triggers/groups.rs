//! How many groups a rule counts apart: further ones are counted together.

use std::collections::{BTreeMap, BTreeSet};

use alerts_domain::id::RuleId;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{Group, MAX_GROUPS};
use sqlx::{AnyConnection, Row as _};

use super::memory::{Key, bind_key};
use crate::batch::Batch;
use crate::batch::Column::Text;
use crate::error::StoreError;
use crate::row::Reader;

static KNOWN: Batch = Batch::new(
    "SELECT tenant, rule_id AS id, key FROM trigger_states WHERE (tenant, rule_id, key) IN (",
    &[Text, Text, Text],
    ")",
);

/// Of these groups those for which their rules have no room, so that their events
/// go to the group of all such. Found out before anything is locked, since that
/// group must be locked in its turn; hosts that add groups at the same moment may
/// pass the limit by what each of them adds.
pub(super) async fn without_room(
    connection: &mut AnyConnection,
    groups: &BTreeSet<&Key>,
) -> Result<BTreeSet<Key>, StoreError> {
    let shared = Group::overflow().key;
    let groups: Vec<&Key> = groups.iter().copied().filter(|key| key.2 != shared).collect();
    let mut known = BTreeSet::new();
    for row in &KNOWN.fetch(connection, &groups, |query, key| bind_key(query, key)).await? {
        let read = Reader::new(row, "trigger_states")?;
        known.insert((read.tenant()?, read.parse::<RuleId>("id")?, read.get::<String>("key")?));
    }
    let mut new: BTreeMap<(&TenantId, RuleId), Vec<&Key>> = BTreeMap::new();
    for key in groups.into_iter().filter(|key| !known.contains(*key)) {
        new.entry((&key.0, key.1)).or_default().push(key);
    }
    let mut without_room = BTreeSet::new();
    for ((tenant, rule), keys) in new {
        let room = MAX_GROUPS.saturating_sub(count(connection, tenant, rule).await?);
        without_room.extend(keys.into_iter().skip(room).cloned());
    }
    metrics::counter!("alerts_groups_overflown_total").increment(without_room.len() as u64);
    Ok(without_room)
}

/// How many groups a rule has, as far as it matters.
async fn count(
    connection: &mut AnyConnection,
    tenant: &TenantId,
    rule: RuleId,
) -> Result<usize, StoreError> {
    let row = sqlx::query(
        "SELECT count(*) AS n FROM (SELECT 1 AS one FROM trigger_states
         WHERE tenant = $1 AND rule_id = $2 LIMIT $3) AS counted",
    )
    .bind(tenant.as_str().to_owned())
    .bind(rule.to_string())
    .bind(MAX_GROUPS as i64)
    .fetch_one(connection)
    .await?;
    Ok(usize::try_from(row.try_get::<i64, _>("n")?).unwrap_or(MAX_GROUPS))
}
