//! Memories of runs as they were kept before the graph was part of their key: by the
//! run's id alone.
//!
//! What such a memory knows goes over into the one that the run has now, when something
//! is next told of the run; so a run that is watched while the host is upgraded is
//! neither forgotten nor alerted though it has ended. The same where a host of the
//! older release shares the database for a while. Such memories are gone after five
//! weeks at most (30 days of the longest threshold, and a week), and this with them.

use std::collections::{BTreeMap, BTreeSet};

use alerts_domain::event::Event;
use alerts_domain::trigger::{Memory, Observed, RunKey, run_of};
use sqlx::AnyConnection;

use super::memory::{Key, bind_key};
use crate::batch::Batch;
use crate::batch::Column::Text;
use crate::error::StoreError;
use crate::row::Reader;

static FIND: Batch = Batch::new(
    "SELECT states.tenant, states.rule_id AS id, states.key, states.event_id, events.body
     FROM trigger_states AS states LEFT JOIN events
        ON events.tenant = states.tenant AND events.id = states.event_id
     WHERE (states.tenant, states.rule_id, states.key) IN (",
    &[Text, Text, Text],
    ")",
);

static TAKE: Batch = Batch::new(
    "DELETE FROM trigger_states WHERE (tenant, rule_id, key) IN (",
    &[Text, Text, Text],
    ") RETURNING tenant, rule_id AS id, key, state, event_id",
);

/// Under which older key each memory of a run may be: one id, or two graphs with it.
pub(crate) type OlderKeys = BTreeMap<Key, Vec<Key>>;

/// The older key of what is seen, if it is a run.
pub(super) fn older_key(seen: &Observed, (tenant, rule, _): &Key) -> Option<Key> {
    match seen {
        Observed::Run { sighting, .. } => {
            Some((tenant.clone(), *rule, sighting.run.of_older_release()?))
        }
        Observed::Event { .. } => None,
    }
}

/// The older key of a memory that is kept under `key`, if it is a run's.
pub(crate) fn of_stored((tenant, rule, key): &Key) -> OlderKeys {
    let older = RunKey::from_stored(key).and_then(|run| run.of_older_release());
    let whole = (tenant.clone(), *rule, key.clone());
    older.map(|older| ((tenant.clone(), *rule, older), vec![whole])).into_iter().collect()
}

/// Moves what the older memories know into `memories`, which are locked. One whose
/// start was told of another graph is left for that.
pub(crate) async fn move_in(
    connection: &mut AnyConnection,
    older: &OlderKeys,
    memories: &mut BTreeMap<Key, Memory>,
) -> Result<(), StoreError> {
    let keys: Vec<&Key> = older.keys().collect();
    let found = FIND.fetch(connection, &keys, |query, key| bind_key(query, key)).await?;
    let mut moves: BTreeMap<Key, &Key> = BTreeMap::new();
    for row in &found {
        let read = Reader::new(row, "trigger_states")?;
        let key = (read.tenant()?, read.parse("id")?, read.get::<String>("key")?);
        let start = read.get::<Option<Vec<u8>>>("body")?;
        let start = start.and_then(|body| Event::from_stored(body.into()));
        let run = start.as_ref().and_then(run_of);
        let is_its = |new: &&Key| run.as_ref().is_none_or(|run| run.as_str() == new.2);
        let new = older.get(&key).and_then(|new| new.iter().find(is_its));
        moves.extend(new.map(|new| (key, new)));
    }
    let keys: Vec<&Key> = moves.keys().collect();
    let taken = TAKE.fetch(connection, &keys, |query, key| bind_key(query, key)).await?;
    for row in &taken {
        let read = Reader::new(row, "trigger_states")?;
        let key = (read.tenant()?, read.parse("id")?, read.get("key")?);
        let state: String = read.get("state")?;
        let (Some(new), Ok(mut known)) = (moves.get(&key), Memory::read(&state, None)) else {
            continue;
        };
        known.told_by = read.parse_optional("event_id")?;
        memories.entry((*new).clone()).or_default().merge_run(&known);
    }
    Ok(())
}

/// Those of the older keys under which there is a memory.
pub(super) fn those_found(older: OlderKeys, found: &BTreeSet<Key>) -> OlderKeys {
    older.into_iter().filter(|(key, _)| found.contains(key)).collect()
}
