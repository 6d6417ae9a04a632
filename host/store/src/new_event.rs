//! New events and deliveries: what is told of them, and the rows that they become.

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, Lease};
use alerts_domain::event::Event;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::outcome::RuleOutcome;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::Observation;
use sqlx::AnyConnection;

use crate::batch::Column::{Bytes, Number, Text};
use crate::batch::{Batch, Query};
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::row::{json_text, us};

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

static EVENTS: Batch = Batch::new(
    "INSERT INTO events (tenant, id, source, event_id, event_type, received_at, body, matches, \
     pending_rules)",
    &[Text, Text, Text, Text, Text, Number, Bytes, Text, Text],
    "ON CONFLICT (tenant, source, event_id) DO NOTHING",
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

/// Stores events, but for those of which the name is known already. Says how many. Which
/// ones is found out by the caller, who counts them.
pub(crate) async fn insert_events(
    connection: &mut AnyConnection,
    events: &[&NewEvent],
) -> Result<u64, StoreError> {
    Ok(EVENTS.execute(connection, events, |query, event| bind_event(query, event)).await?)
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

/// Stores events that the host makes itself, with their deliveries.
pub(crate) async fn insert_made(
    connection: &mut AnyConnection,
    events: &[NewEvent],
    ledger: &mut Ledger,
) -> Result<(), StoreError> {
    insert_events(connection, &events.iter().collect::<Vec<_>>()).await?;
    events.iter().for_each(|event| ledger.event(event));
    let deliveries: Vec<&NewDelivery> = events.iter().flat_map(|event| &event.deliveries).collect();
    insert_deliveries(connection, &deliveries, ledger).await
}

pub(crate) async fn insert_deliveries(
    connection: &mut AnyConnection,
    deliveries: &[&NewDelivery],
    ledger: &mut Ledger,
) -> Result<(), StoreError> {
    DELIVERIES.execute(connection, deliveries, |query, new| bind_delivery(query, new)).await?;
    deliveries.iter().for_each(|new| ledger.made(&new.delivery));
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
