//! New events with their deliveries, many at once.

use std::collections::HashMap;

use alerts_domain::id::EventId;
use alerts_domain::outcome::Reason;
use alerts_domain::tenant::TenantId;
use sqlx::AnyConnection;

use crate::batch::Batch;
use crate::batch::Column::Text;
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::new_event::insert_events;
pub(crate) use crate::new_event::{NewDelivery, NewEvent, insert_deliveries};
use crate::row::Reader;
use crate::triggers;

/// An event that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredId {
    /// Of the first one, when this is a repetition.
    pub id: EventId,
    /// Whether it was known; then nothing of it was stored.
    pub duplicate: bool,
    /// What became of the rules that have a memory.
    pub remembering: Vec<Reason>,
}

/// Who came first under which name.
static FIRSTS: Batch = Batch::new(
    "SELECT tenant, source, event_id, id FROM events WHERE (tenant, source, event_id) IN (",
    &[Text, Text, Text],
    ")",
);

/// Writes several callers' events, and answers for each caller.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    accepts: &[&[NewEvent]],
    ledger: &mut Ledger,
) -> Result<Vec<Vec<StoredId>>, StoreError> {
    if accepts.is_empty() {
        return Ok(Vec::new());
    }
    let events: Vec<&NewEvent> = accepts.iter().copied().flatten().collect();
    // Sorted by the name under which another host may be storing the same; of equal
    // ones the first stays the first.
    let mut sorted = events.clone();
    sorted.sort_by_key(|new| (&new.tenant, &new.event.source, &new.event.id));
    let repeated = match insert_events(connection, &sorted).await? {
        all if all == events.len() as u64 => HashMap::new(),
        _ => repeated(connection, &events).await?,
    };
    let is_new = |event: &NewEvent| !repeated.contains_key(&event.id);

    let new_events: Vec<&NewEvent> = events.iter().copied().filter(|event| is_new(event)).collect();
    new_events.iter().for_each(|event| ledger.event(event));
    let deliveries: Vec<&NewDelivery> =
        new_events.iter().flat_map(|event| &event.deliveries).collect();
    // Nobody else knows these ids, so there is nothing to wait for in them.
    insert_deliveries(connection, &deliveries, ledger).await?;
    let mut remembering = triggers::observe(connection, &new_events, ledger).await?;

    let mut answers = Vec::with_capacity(accepts.len());
    for events in accepts {
        let mut stored = Vec::with_capacity(events.len());
        for event in *events {
            stored.push(match repeated.get(&event.id) {
                None => {
                    let remembering = remembering.remove(&event.id).unwrap_or_default();
                    StoredId { id: event.id, duplicate: false, remembering }
                }
                Some(first) => StoredId { id: *first, duplicate: true, remembering: Vec::new() },
            });
        }
        answers.push(stored);
    }
    Ok(answers)
}

/// Of these events, which have just been stored, those that were stored before,
/// each with the id of the first one.
async fn repeated(
    connection: &mut AnyConnection,
    events: &[&NewEvent],
) -> Result<HashMap<EventId, EventId>, StoreError> {
    let rows = FIRSTS.fetch(connection, events, |query, event| {
        query
            .bind(event.tenant.as_str().to_owned())
            .bind(event.event.source.clone())
            .bind(event.event.id.clone())
    });
    let mut firsts: HashMap<(TenantId, String, String), EventId> = HashMap::new();
    for row in &rows.await? {
        let read = Reader::new(row, "events")?;
        firsts.insert(
            (read.tenant()?, read.get("source")?, read.get("event_id")?),
            read.parse("id")?,
        );
    }
    let mut repeated = HashMap::new();
    for event in events {
        let name = (event.tenant.clone(), event.event.source.clone(), event.event.id.clone());
        let first = firsts.get(&name).ok_or_else(|| {
            StoreError::damaged("events", event.id, "it was stored and is not there")
        })?;
        if *first != event.id {
            repeated.insert(event.id, *first);
        }
    }
    Ok(repeated)
}
