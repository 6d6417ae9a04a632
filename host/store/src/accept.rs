//! New events with their deliveries, many at once.

use std::collections::HashMap;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, Lease};
use alerts_domain::event::Event;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_domain::tenant::TenantId;
use sqlx::AnyConnection;

use crate::batch::Column::{Bytes, Number, Text};
use crate::batch::{Batch, Query};
use crate::error::StoreError;
use crate::open::Store;
use crate::row::{Reader, json_text, us};
use crate::triggers::{self, Observation};

/// An event to be stored, with everything that follows from it.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The id it gets here.
    pub id: EventId,
    /// Whose it is.
    pub tenant: TenantId,
    /// As it was posted.
    pub event: Event,
    /// When.
    pub received_at: Timestamp,
    /// What became of each rule that looked at it, but for those that have a
    /// memory: what becomes of them is found out as it is stored.
    pub outcomes: Vec<RuleOutcome>,
    /// The rules whose condition plugin could not answer yet.
    pub pending_rules: Option<Vec<RuleId>>,
    /// What the rules that fired send.
    pub deliveries: Vec<NewDelivery>,
    /// What rules with a memory see in it.
    pub observations: Vec<Observation>,
}

/// A delivery to be stored.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// In its first state.
    pub delivery: Delivery,
    /// Who works on it already, if it is leased.
    pub lease: Option<Lease>,
}

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

impl Store {
    /// Stores events, all or none, and says which of them were new. When this
    /// returns they are on the disk.
    pub async fn accept(&self, events: Vec<NewEvent>) -> Result<Vec<StoredId>, StoreError> {
        self.writer().accept(events).await
    }
}

static EVENTS: Batch = Batch::new(
    "INSERT INTO events (tenant, id, source, event_id, event_type, received_at, body, matches, \
     pending_rules)",
    &[Text, Text, Text, Text, Text, Number, Bytes, Text, Text],
    "ON CONFLICT (tenant, source, event_id) DO NOTHING",
);

/// Who came first under which name.
static FIRSTS: Batch = Batch::new(
    "SELECT tenant, source, event_id, id FROM events WHERE (tenant, source, event_id) IN (",
    &[Text, Text, Text],
    ")",
);

static DELIVERIES: Batch = Batch::new(
    "INSERT INTO deliveries (tenant, id, event_id, alert_rule_id, rule_name, trigger_figures, \
     webhook_endpoint_id, status, attempt_count, next_attempt_at, last_error, redrive_of, \
     created_at, finished_at, lease_host, lease_fence)",
    &[
        Text, Text, Text, Text, Text, Text, Text, Text, Number, Number, Text, Text, Number, Number,
        Text, Number,
    ],
    "",
);

/// Writes several callers' events, and answers for each caller.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    accepts: &[&[NewEvent]],
) -> Result<Vec<Vec<StoredId>>, StoreError> {
    if accepts.is_empty() {
        return Ok(Vec::new());
    }
    let events: Vec<&NewEvent> = accepts.iter().copied().flatten().collect();
    // Sorted by the name under which another host may be storing the same; of equal
    // ones the first stays the first.
    let mut sorted = events.clone();
    sorted.sort_by_key(|new| (&new.tenant, &new.event.source, &new.event.id));
    let inserted = EVENTS.execute(connection, &sorted, |query, event| bind_event(query, event));
    let repeated = match inserted.await? {
        all if all == events.len() as u64 => HashMap::new(),
        _ => repeated(connection, &events).await?,
    };
    let is_new = |event: &NewEvent| !repeated.contains_key(&event.id);

    let new_events: Vec<&NewEvent> = events.iter().copied().filter(|event| is_new(event)).collect();
    let deliveries: Vec<&NewDelivery> =
        new_events.iter().flat_map(|event| &event.deliveries).collect();
    // Nobody else knows these ids, so there is nothing to wait for in them.
    insert_deliveries(connection, &deliveries).await?;
    let mut remembering = triggers::observe(connection, &new_events).await?;

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

fn bind_event(query: Query, new: &NewEvent) -> Query {
    query
        .bind(new.tenant.as_str().to_owned())
        .bind(new.id.to_string())
        .bind(new.event.source.clone())
        .bind(new.event.id.clone())
        .bind(new.event.event_type.clone())
        .bind(us(new.received_at))
        .bind(new.event.body.to_vec())
        .bind(json_text(&new.outcomes))
        .bind(new.pending_rules.as_ref().map(json_text))
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

/// Stores events that the host makes itself, with their deliveries.
pub(crate) async fn insert_made(
    connection: &mut AnyConnection,
    events: &[NewEvent],
) -> Result<(), StoreError> {
    EVENTS.execute(connection, events, bind_event).await?;
    let deliveries: Vec<&NewDelivery> = events.iter().flat_map(|event| &event.deliveries).collect();
    insert_deliveries(connection, &deliveries).await
}

pub(crate) async fn insert_deliveries(
    connection: &mut AnyConnection,
    deliveries: &[&NewDelivery],
) -> Result<(), StoreError> {
    DELIVERIES.execute(connection, deliveries, |query, new| bind_delivery(query, new)).await?;
    Ok(())
}

fn bind_delivery(query: Query, new: &NewDelivery) -> Query {
    let NewDelivery { delivery, lease } = new;
    query
        .bind(delivery.tenant.as_str().to_owned())
        .bind(delivery.id.to_string())
        .bind(delivery.event_id.to_string())
        .bind(delivery.alert_rule_id.map(|id| id.to_string()))
        .bind(delivery.rule_name.clone())
        .bind(json_text(&delivery.trigger))
        .bind(delivery.webhook_endpoint_id.to_string())
        .bind(delivery.status.as_str())
        .bind(i64::from(delivery.attempt_count))
        .bind(delivery.next_attempt_at.map(us))
        .bind(delivery.last_error.clone())
        .bind(delivery.redrive_of.map(|id| id.to_string()))
        .bind(us(delivery.created_at))
        .bind(delivery.finished_at.map(us))
        .bind(lease.map(|lease| lease.host.to_string()))
        .bind(lease.map_or(0, |lease| lease.fence))
}
