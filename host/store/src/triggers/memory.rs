//! The rows in which rules remember: locked, read, written, and bounded in number.

use std::collections::{BTreeMap, BTreeSet};

use alerts_domain::Timestamp;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{Group, MAX_GROUPS};
use serde::de::DeserializeOwned;
use sqlx::{AnyConnection, Row as _};

use super::{Observation, Observed};
use crate::accept::NewEvent;
use crate::batch::Batch;
use crate::batch::Column::{Number, Text};
use crate::error::StoreError;
use crate::row::{Reader, us};

/// A memory that nothing was put into yet.
const BLANK: &str = "{}";

/// A memory's key: tenant, rule, and run or group.
pub(super) type Key = (TenantId, RuleId, String);

/// Memories as they are now, and what became of them.
#[derive(Debug)]
pub(super) struct Memory {
    /// As JSON.
    pub(super) state: String,
    pub(super) due_at: Option<Timestamp>,
    /// The event with which a run that is watched started.
    pub(super) event_id: Option<EventId>,
    pub(super) forget_at: Option<Timestamp>,
}

static LOCK: Batch = Batch::new(
    "INSERT INTO trigger_states (tenant, rule_id, key, state)",
    &[Text, Text, Text, Text],
    "ON CONFLICT (tenant, rule_id, key) DO UPDATE SET key = excluded.key
     RETURNING tenant, rule_id AS id, key, state, due_at",
);

static KEEP: Batch = Batch::new(
    "INSERT INTO trigger_states (tenant, rule_id, key, state, due_at, event_id, forget_at)",
    &[Text, Text, Text, Text, Number, Text, Number],
    "ON CONFLICT (tenant, rule_id, key) DO UPDATE SET state = excluded.state,
        due_at = excluded.due_at, forget_at = excluded.forget_at,
        event_id = COALESCE(excluded.event_id, trigger_states.event_id)",
);

/// Locks memories, made blank where there are none, and reads them.
pub(super) async fn lock(
    connection: &mut AnyConnection,
    keys: &[&Key],
) -> Result<BTreeMap<Key, Memory>, StoreError> {
    let rows = LOCK
        .fetch(connection, keys, |query, (tenant, rule, key)| {
            query
                .bind(tenant.as_str().to_owned())
                .bind(rule.to_string())
                .bind(key.clone())
                .bind(BLANK)
        })
        .await?;
    let mut memories = BTreeMap::new();
    for row in &rows {
        let read = Reader::new(row, "trigger_states")?;
        let key = (read.tenant()?, read.parse("id")?, read.get("key")?);
        let memory = Memory {
            state: read.get("state")?,
            due_at: read.time_optional("due_at")?,
            event_id: None,
            forget_at: None,
        };
        memories.insert(key, memory);
    }
    Ok(memories)
}

/// The rules with a new group that is one too many.
pub(super) async fn full_rules(
    connection: &mut AnyConnection,
    observed: &[(&NewEvent, &Observation, Key)],
    memories: &BTreeMap<Key, Memory>,
) -> Result<BTreeSet<(TenantId, RuleId)>, StoreError> {
    let is_new = |key: &Key| memories.get(key).is_some_and(|memory| memory.state == BLANK);
    let grown: BTreeSet<(TenantId, RuleId)> = observed
        .iter()
        .filter(|(_, seen, key)| matches!(seen.seen, Observed::Event { .. }) && is_new(key))
        .map(|(_, _, (tenant, rule, _))| (tenant.clone(), *rule))
        .collect();
    let mut full = BTreeSet::new();
    for (tenant, rule) in grown {
        let row = sqlx::query(
            "SELECT count(*) AS n FROM (SELECT 1 AS one FROM trigger_states
             WHERE tenant = $1 AND rule_id = $2 LIMIT $3) AS counted",
        )
        .bind(tenant.as_str().to_owned())
        .bind(rule.to_string())
        .bind(MAX_GROUPS as i64 + 1)
        .fetch_one(&mut *connection)
        .await?;
        if row.try_get::<i64, _>("n")? > MAX_GROUPS as i64 {
            full.insert((tenant, rule));
        }
    }
    Ok(full)
}

/// Takes the new groups of these rules away again, and makes place for the one
/// in which their events are counted together.
pub(super) async fn give_up_new_groups(
    connection: &mut AnyConnection,
    full: &BTreeSet<(TenantId, RuleId)>,
    memories: &mut BTreeMap<Key, Memory>,
) -> Result<Vec<Key>, StoreError> {
    let shared = Group::overflow().key;
    let is_given_up = |key: &Key, memory: &Memory| {
        memory.state == BLANK && key.2 != shared && full.contains(&(key.0.clone(), key.1))
    };
    let given_up: Vec<Key> = memories
        .iter()
        .filter(|(key, memory)| is_given_up(key, memory))
        .map(|(key, _)| key.clone())
        .collect();
    for key in &given_up {
        memories.remove(key);
        sqlx::query("DELETE FROM trigger_states WHERE tenant = $1 AND rule_id = $2 AND key = $3")
            .bind(key.0.as_str().to_owned())
            .bind(key.1.to_string())
            .bind(key.2.clone())
            .execute(&mut *connection)
            .await?;
    }
    metrics::counter!("alerts_groups_overflown_total").increment(given_up.len() as u64);
    let places: Vec<Key> =
        full.iter().map(|(tenant, rule)| (tenant.clone(), *rule, shared.clone())).collect();
    memories.extend(lock(connection, &places.iter().collect::<Vec<_>>()).await?);
    Ok(given_up)
}

/// Writes memories back.
pub(super) async fn keep(
    connection: &mut AnyConnection,
    memories: &BTreeMap<Key, Memory>,
) -> Result<(), StoreError> {
    // A group that nothing was counted in is the one made for what overflows.
    let kept: Vec<(&Key, &Memory)> =
        memories.iter().filter(|(_, memory)| memory.state != BLANK).collect();
    KEEP.execute(connection, &kept, |query, ((tenant, rule, key), memory)| {
        query
            .bind(tenant.as_str().to_owned())
            .bind(rule.to_string())
            .bind(key.clone())
            .bind(memory.state.clone())
            .bind(memory.due_at.map(us))
            .bind(memory.event_id.map(|id| id.to_string()))
            .bind(memory.forget_at.map(us))
    })
    .await?;
    Ok(())
}

/// A state machine as it was left.
pub(crate) fn read_state<T: DeserializeOwned>(state: &str, key: &str) -> Result<T, StoreError> {
    serde_json::from_str(state).map_err(|error| StoreError::damaged("trigger_states", key, error))
}
