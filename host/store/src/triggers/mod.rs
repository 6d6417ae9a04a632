//! What rules remember between two events, kept in the same commit as the event
//! that changed it.
//!
//! A rule with a memory cannot be judged before the event is known to be new, nor
//! apart from what other hosts count at the same time. So its memory is locked and
//! read here, the domain decides what becomes of it and what follows, and both are
//! written with the event. What a rule decides, and how it is told, is not known here.

mod groups;
mod memory;
mod older;
mod rule_change;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use alerts_domain::id::EventId;
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_domain::trigger::{Arrived, Made, MadeEvent, Observation, Observed};
use sqlx::AnyConnection;

use self::groups::without_room;
pub(crate) use self::memory::Key;
use self::memory::{Locked, keep, lock};
use self::older::{OlderKeys, older_key, those_found};
pub(crate) use self::older::{move_in, of_stored};
pub use self::rule_change::TriggerChange;
pub(crate) use self::rule_change::follow_rule;
use crate::batch::Batch;
use crate::batch::Column::Text;
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::new_event::{NewDelivery, NewEvent, insert_deliveries, insert_made};
use crate::row::json_text;

static TELL: Batch = Batch::new(
    "WITH told (tenant, id, outcomes) AS (",
    &[Text, Text, Text],
    ") UPDATE events SET matches = told.outcomes FROM told
     WHERE events.tenant = told.tenant AND events.id = told.id",
);

/// Shows new events to the rules that have a memory, and stores what follows.
/// Says for each event what became of them.
pub(crate) async fn observe(
    connection: &mut AnyConnection,
    events: &[&NewEvent],
    ledger: &mut Ledger,
) -> Result<HashMap<EventId, Vec<Reason>>, StoreError> {
    let shown: Vec<(&NewEvent, &Observation, Key)> = events
        .iter()
        .flat_map(|event| {
            event.observations.iter().map(move |seen| (*event, seen, key(event, seen)))
        })
        .collect();
    if shown.is_empty() {
        return Ok(HashMap::new());
    }
    let shown = into_groups_with_room(connection, shown).await?;
    let keys: BTreeSet<&Key> = shown.iter().map(|(_, _, key)| key).collect();
    let mut older = OlderKeys::new();
    for (_, seen, key) in &shown {
        if let Some(older_key) = older_key(&seen.seen, key) {
            older.entry(older_key).or_default().push(key.clone());
        }
    }
    let Locked { mut memories, found } = lock(connection, &keys, older.keys()).await?;
    if !found.is_empty() {
        move_in(connection, &those_found(older, &found), &mut memories).await?;
    }

    let mut made = Vec::new();
    let mut outcomes: HashMap<EventId, Vec<RuleOutcome>> = HashMap::new();
    // All that a group commit tells of one memory goes into it here, and is written once.
    for (event, seen, key) in &shown {
        let arrived = Arrived {
            tenant: &event.tenant,
            id: event.id,
            event: &event.event,
            received_at: event.received_at,
        };
        let memory = memories.get_mut(key).ok_or_else(|| {
            StoreError::damaged("trigger_states", &key.2, "it was locked and is not there")
        })?;
        let followed = seen.take_in(memory, arrived);
        made.extend(followed.made);
        outcomes.entry(event.id).or_default().extend(followed.outcome);
    }
    keep(connection, &memories).await?;
    store_made(connection, made, ledger).await?;
    tell(connection, events, &outcomes).await?;
    let reasons =
        |outcomes: Vec<RuleOutcome>| outcomes.into_iter().map(|told| told.reason).collect();
    Ok(outcomes.into_iter().map(|(event, outcomes)| (event, reasons(outcomes))).collect())
}

fn key(event: &NewEvent, seen: &Observation) -> Key {
    (event.tenant.clone(), seen.rule, seen.seen.key().to_owned())
}

/// What is shown, those of groups for which there is no room in the group of all such.
async fn into_groups_with_room<'e>(
    connection: &mut AnyConnection,
    shown: Vec<(&'e NewEvent, &'e Observation, Key)>,
) -> Result<Vec<(&'e NewEvent, Cow<'e, Observation>, Key)>, StoreError> {
    let is_grouped = |seen: &Observation| match &seen.seen {
        Observed::Event { group, .. } => !group.values.is_empty(),
        Observed::Run { .. } => false,
    };
    let groups: BTreeSet<&Key> =
        shown.iter().filter(|(_, seen, _)| is_grouped(seen)).map(|(_, _, key)| key).collect();
    let without_room = match groups.is_empty() {
        true => BTreeSet::new(),
        false => without_room(connection, &groups).await?,
    };
    let placed = shown.into_iter().map(|(event, seen, own_key)| {
        if !without_room.contains(&own_key) {
            return (event, Cow::Borrowed(seen), own_key);
        }
        let seen = Observation { seen: seen.seen.without_group(), ..seen.clone() };
        let key = key(event, &seen);
        (event, Cow::Owned(seen), key)
    });
    Ok(placed.collect())
}

impl From<MadeEvent> for NewEvent {
    fn from(made: MadeEvent) -> Self {
        let MadeEvent { id, tenant, event, received_at, outcome, delivery } = made;
        let delivery = delivery.map(|delivery| NewDelivery { delivery, lease: None });
        Self {
            id,
            tenant,
            event,
            received_at,
            outcomes: vec![outcome],
            pending_rules: None,
            deliveries: delivery.into_iter().collect(),
            observations: Vec::new(),
        }
    }
}

async fn store_made(
    connection: &mut AnyConnection,
    made: Vec<Made>,
    ledger: &mut Ledger,
) -> Result<(), StoreError> {
    let (mut deliveries, mut events) = (Vec::new(), Vec::new());
    for made in made {
        match made {
            Made::Delivery(delivery) => {
                deliveries.push(NewDelivery { delivery: *delivery, lease: None });
            }
            Made::Event(event) => events.push(NewEvent::from(*event)),
        }
    }
    insert_deliveries(connection, &deliveries.iter().collect::<Vec<_>>(), ledger).await?;
    insert_made(connection, &events, ledger).await
}

/// Adds to what is told on the events.
async fn tell(
    connection: &mut AnyConnection,
    events: &[&NewEvent],
    outcomes: &HashMap<EventId, Vec<RuleOutcome>>,
) -> Result<(), StoreError> {
    let told: Vec<(&NewEvent, String)> = events
        .iter()
        .filter_map(|event| {
            let more = outcomes.get(&event.id).filter(|more| !more.is_empty())?;
            let all: Vec<&RuleOutcome> = event.outcomes.iter().chain(more).collect();
            Some((*event, json_text(&all)))
        })
        .collect();
    TELL.execute(connection, &told, |query, (event, outcomes)| {
        query
            .bind(event.tenant.as_str().to_owned())
            .bind(event.id.to_string())
            .bind(outcomes.clone())
    })
    .await?;
    Ok(())
}
