//! The rows in which rules remember: locked, read and written.

use std::collections::{BTreeMap, BTreeSet};

use alerts_domain::id::RuleId;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{Memory, Older};
use sqlx::AnyConnection;

use crate::batch::Column::{Bytes, Number, Text};
use crate::batch::{Batch, Query};
use crate::error::StoreError;
use crate::row::{Reader, us};

/// A memory's key: tenant, rule, and run or group. Memories are locked in the
/// order of their keys, everywhere, so that hosts do not wait for each other in
/// a ring.
pub(crate) type Key = (TenantId, RuleId, String);

// On Postgres a row is locked also where the condition then keeps it as it is.
static LOCK: Batch = Batch::new(
    "INSERT INTO trigger_states (tenant, rule_id, key, state)",
    &[Text, Text, Text, Text],
    "ON CONFLICT (tenant, rule_id, key) DO UPDATE SET key = excluded.key WHERE FALSE",
);

static READ: Batch = Batch::new(
    "SELECT states.tenant, states.rule_id AS id, states.key, states.state, windows.times
     FROM trigger_states AS states LEFT JOIN trigger_windows AS windows
        ON windows.tenant = states.tenant AND windows.rule_id = states.rule_id
        AND windows.key = states.key
     WHERE (states.tenant, states.rule_id, states.key) IN (",
    &[Text, Text, Text],
    ")",
);

static KEEP: Batch = Batch::new(
    "WITH kept (tenant, rule_id, key, state, due_at, event_id, forget_at) AS (",
    &[Text, Text, Text, Text, Number, Text, Number],
    ") UPDATE trigger_states SET state = kept.state, due_at = kept.due_at,
        forget_at = kept.forget_at, event_id = COALESCE(kept.event_id, trigger_states.event_id)
     FROM kept
     WHERE trigger_states.tenant = kept.tenant AND trigger_states.rule_id = kept.rule_id
        AND trigger_states.key = kept.key",
);

static KEEP_OLDER: Batch = Batch::new(
    "INSERT INTO trigger_windows (tenant, rule_id, key, times)",
    &[Text, Text, Text, Bytes],
    "ON CONFLICT (tenant, rule_id, key) DO UPDATE SET times = excluded.times",
);

static DROP_OLDER: Batch = Batch::new(
    "DELETE FROM trigger_windows WHERE (tenant, rule_id, key) IN (",
    &[Text, Text, Text],
    ")",
);

pub(super) fn bind_key(query: Query, (tenant, rule, key): &Key) -> Query {
    query.bind(tenant.as_str().to_owned()).bind(rule.to_string()).bind(key.clone())
}

/// Memories that are locked, and read.
pub(super) struct Locked {
    pub(super) memories: BTreeMap<Key, Memory>,
    /// Of the further keys, those under which there is something.
    pub(super) found: BTreeSet<Key>,
}

/// Locks memories, made blank where there are none, and reads them. `keys` are in
/// order. Under the `further` keys it only looks.
pub(super) async fn lock<'k>(
    connection: &mut AnyConnection,
    keys: &BTreeSet<&'k Key>,
    further: impl Iterator<Item = &'k Key>,
) -> Result<Locked, StoreError> {
    let mut rows: Vec<&Key> = keys.iter().copied().collect();
    LOCK.execute(connection, &rows, |query, key| bind_key(query, key).bind(Memory::BLANK)).await?;
    rows.extend(further);
    let rows = READ.fetch(connection, &rows, |query, key| bind_key(query, key)).await?;
    let mut locked = Locked { memories: BTreeMap::new(), found: BTreeSet::new() };
    for row in &rows {
        let read = Reader::new(row, "trigger_states")?;
        let key = (read.tenant()?, read.parse("id")?, read.get("key")?);
        if keys.contains(&key) {
            let memory = read_memory(&read, &key)?;
            locked.memories.insert(key, memory);
        } else {
            locked.found.insert(key);
        }
    }
    Ok(locked)
}

/// A memory that is damaged is as good as none: the rule begins anew, which costs
/// it what it had counted, and nobody else anything.
fn read_memory(read: &Reader<'_>, (tenant, rule, key): &Key) -> Result<Memory, StoreError> {
    let (state, times): (String, Option<Vec<u8>>) = (read.get("state")?, read.get("times")?);
    Ok(Memory::read(&state, times.as_deref()).unwrap_or_else(|error| {
        tracing::error!(%tenant, %rule, key, %error, "a damaged memory is begun anew");
        metrics::counter!("alerts_damaged_rows_total", "table" => "trigger_states").increment(1);
        Memory::default()
    }))
}

/// Writes memories back, which are locked.
pub(super) async fn keep(
    connection: &mut AnyConnection,
    memories: &BTreeMap<Key, Memory>,
) -> Result<(), StoreError> {
    let (mut heads, mut replaced, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for (key, memory) in memories {
        let written = memory.written();
        match written.older {
            Older::Unchanged => {}
            Older::Replaced(times) => replaced.push((key, times)),
            Older::Gone => gone.push(key),
        }
        heads.push((key, memory, written.state));
    }
    KEEP.execute(connection, &heads, |query, (key, memory, state)| {
        bind_key(query, key)
            .bind(state.clone())
            .bind(memory.due_at.map(us))
            .bind(memory.told_by.map(|id| id.to_string()))
            .bind(memory.forget_at.map(us))
    })
    .await?;
    let bind_older =
        |query, (key, times): &(&Key, Vec<u8>)| bind_key(query, key).bind(times.clone());
    KEEP_OLDER.execute(connection, &replaced, bind_older).await?;
    DROP_OLDER.execute(connection, &gone, |query, key| bind_key(query, key)).await?;
    Ok(())
}
