//! What rules remember between two events, kept in the same commit as the event
//! that changed it.
//!
//! A rule with a memory cannot be judged before the event is known to be new, nor
//! apart from what other hosts count at the same time. So it is judged here: the
//! memory's row is locked, the domain's state machine takes the event in, and
//! what follows is written with it.

mod memory;

use std::collections::{BTreeSet, HashMap};

use alerts_domain::Timestamp;
use alerts_domain::delivery::Delivery;
use alerts_domain::id::{EventId, RuleId};
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{
    DurationTrigger, Group, RunSighting, RunStep, RunWatch, ThresholdTrigger, WatchEnd, Window,
    exceeded,
};
use jiff::SignedDuration;
use serde_json::Value;
use sqlx::AnyConnection;

use crate::accept::{NewDelivery, NewEvent, insert_deliveries, insert_made};
use crate::error::StoreError;
use crate::row::json_text;

pub(crate) use self::memory::read_state;
use self::memory::{Key, Memory, full_rules, give_up_new_groups, keep, lock};

/// How long a run that ended is remembered, for events that come late.
const REMEMBER_RUN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a rule with a memory sees in an event.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Which rule.
    pub rule: RuleId,
    /// What it sees.
    pub seen: Observed,
    /// What is sent, should it fire; none for a rule that only keeps its memory
    /// up to date, and has nothing to say about this event.
    pub alert: Option<Alert>,
}

/// What there is to be seen in an event.
#[derive(Debug, Clone)]
pub enum Observed {
    /// A run that starts or ends.
    Run {
        /// How long it may take.
        trigger: DurationTrigger,
        /// Which run, and what happened to it.
        sighting: RunSighting,
        /// Whether the rule's condition holds.
        may_fire: bool,
    },
    /// One more event in a window.
    Event {
        /// What is too much.
        trigger: ThresholdTrigger,
        /// When it happened.
        at: Timestamp,
        /// Whether it is one of the rule's own, and not only one of the total.
        is_own: bool,
        /// With which others it is counted.
        group: Group,
    },
}

/// What a rule sends when it fires.
#[derive(Debug, Clone)]
pub struct Alert {
    /// What is told of the rule then.
    pub reason: Reason,
    /// What is told instead when it does not fire because the condition does not
    /// hold; none when it holds.
    pub withheld: Option<RuleOutcome>,
    /// The delivery, but for its figures; none when there is nowhere to send to.
    pub delivery: Option<Delivery>,
    /// The id of the event that the host makes of a run that takes too long.
    pub made_event: EventId,
}

/// Shows new events to the rules that have a memory, and stores what follows.
/// Says for each event what became of them.
pub(crate) async fn observe(
    connection: &mut AnyConnection,
    events: &[&NewEvent],
) -> Result<HashMap<EventId, Vec<Reason>>, StoreError> {
    let observed: Vec<(&NewEvent, &Observation, Key)> = events
        .iter()
        .flat_map(|event| {
            event.observations.iter().map(move |seen| (*event, seen, key(event, seen)))
        })
        .collect();
    if observed.is_empty() {
        return Ok(HashMap::new());
    }
    // In one order everywhere, so that hosts do not wait for each other in a ring.
    let keys: BTreeSet<&Key> = observed.iter().map(|(_, _, key)| key).collect();
    let mut memories = lock(connection, &keys.into_iter().collect::<Vec<_>>()).await?;
    let full = full_rules(connection, &observed, &memories).await?;
    let mut overflown = Vec::new();
    if !full.is_empty() {
        overflown = give_up_new_groups(connection, &full, &mut memories).await?;
    }

    let mut made = Vec::new();
    let mut outcomes: HashMap<EventId, Vec<RuleOutcome>> = HashMap::new();
    for (event, seen, own_key) in &observed {
        let shared;
        let key = if overflown.contains(own_key) {
            shared = (own_key.0.clone(), own_key.1, Group::overflow().key);
            &shared
        } else {
            own_key
        };
        let memory = memories.get_mut(key).ok_or_else(|| {
            StoreError::damaged("trigger_states", &key.2, "it was locked and is not there")
        })?;
        let (fired, outcome) = take_in(event, seen, key != own_key, memory)?;
        made.extend(fired);
        if seen.alert.is_some() {
            outcomes.entry(event.id).or_default().extend(outcome);
        }
    }
    keep(connection, &memories).await?;
    store_made(connection, made).await?;
    for event in events {
        if let Some(more) = outcomes.get(&event.id) {
            let all: Vec<&RuleOutcome> = event.outcomes.iter().chain(more).collect();
            tell(connection, event, &all).await?;
        }
    }
    let reasons = |outcomes: Vec<RuleOutcome>| outcomes.iter().map(|told| told.reason).collect();
    Ok(outcomes.into_iter().map(|(event, outcomes)| (event, reasons(outcomes))).collect())
}

fn key(event: &NewEvent, seen: &Observation) -> Key {
    let key = match &seen.seen {
        Observed::Run { sighting, .. } => sighting.run.clone(),
        Observed::Event { group, .. } => group.key.clone(),
    };
    (event.tenant.clone(), seen.rule, key)
}

/// What a rule that fired leaves: a delivery of the event itself, or an event
/// that the host makes, with its delivery.
#[derive(Debug)]
enum Made {
    Delivery(Box<Delivery>),
    Event(Box<NewEvent>),
}

/// One observation: the memory changes, and an alert may follow.
fn take_in(
    event: &NewEvent,
    seen: &Observation,
    is_overflow: bool,
    memory: &mut Memory,
) -> Result<(Option<Made>, Option<RuleOutcome>), StoreError> {
    let (fired, outcome) = match &seen.seen {
        Observed::Run { trigger, sighting, may_fire } => {
            let mut watch: RunWatch = read_state(&memory.state, &sighting.run)?;
            let was_due_at = watch.due_at(trigger);
            let step = watch.observe(trigger, sighting, *may_fire);
            memory.state = json_text(&watch);
            memory.due_at = watch.due_at(trigger);
            // Only a new start moves the time. The end of an earlier opening, told
            // late, must not take its place in the alert.
            if memory.due_at.is_some() && memory.due_at != was_due_at {
                memory.event_id = Some(event.id);
            }
            let is_watched = memory.due_at.is_some();
            memory.forget_at = (!is_watched).then(|| later(event.received_at, REMEMBER_RUN));
            run_outcome(event, seen, trigger, step)
        }
        Observed::Event { trigger, at, is_own, group } => {
            let mut window: Window = read_state(&memory.state, &group.key)?;
            let step = window.observe(trigger, *at, *is_own);
            if step.fires && seen.alert.as_ref().is_some_and(|alert| alert.delivery.is_none()) {
                window.not_alerted();
            }
            memory.state = json_text(&window);
            memory.forget_at = Some(later(event.received_at, trigger.forgotten_after()));
            let detail = trigger.explain(&step);
            if step.fires {
                let values =
                    if is_overflow { Group::overflow().values } else { group.values.clone() };
                let figures = trigger.figures(step.found, step.total, &values);
                let fired =
                    delivery(event, seen, figures).map(|sent| Made::Delivery(Box::new(sent)));
                (fired, fired_outcome(seen, detail))
            } else if step.is_breached {
                (
                    None,
                    Some(RuleOutcome::new(seen.rule, Reason::AlreadyAlerted).with_detail(detail)),
                )
            } else {
                (
                    None,
                    Some(RuleOutcome::new(seen.rule, Reason::BelowThreshold).with_detail(detail)),
                )
            }
        }
    };
    let withheld = seen.alert.as_ref().and_then(|alert| alert.withheld.clone());
    Ok((fired, withheld.or(outcome)))
}

fn run_outcome(
    event: &NewEvent,
    seen: &Observation,
    trigger: &DurationTrigger,
    step: RunStep,
) -> (Option<Made>, Option<RuleOutcome>) {
    let told = |reason, detail: &str| {
        (None, Some(RuleOutcome::new(seen.rule, reason).with_detail(detail)))
    };
    match step {
        RunStep::Watching { due_at } => {
            told(Reason::Watching, &format!("fires at {due_at} unless the run ends before"))
        }
        RunStep::Ended(WatchEnd::FiredBefore) => {
            told(Reason::Duplicate, "this run was alerted already")
        }
        RunStep::Ended(WatchEnd::Withheld) => told(
            Reason::ConditionFalse,
            "when the run started, the condition did not hold or the rule was off",
        ),
        RunStep::Ended(WatchEnd::InTime) => told(
            Reason::EndedInTime,
            &format!("the run took no more than {} ms", trigger.threshold_ms),
        ),
        RunStep::Ended(WatchEnd::NothingNew) => told(
            Reason::EndedInTime,
            "a later event of this run is known, or its start is not and it does not say how long \
             it took",
        ),
        RunStep::Fire { elapsed_ms } => {
            let original = serde_json::from_slice(&event.event.body).unwrap_or_default();
            let now = event.received_at;
            let made = seen.alert.as_ref().map(|alert| {
                let made = make_event(
                    &event.tenant,
                    seen.rule,
                    alert,
                    trigger,
                    &original,
                    now,
                    elapsed_ms,
                );
                Made::Event(Box::new(made))
            });
            let detail = format!("it took {elapsed_ms} ms; fires above {}", trigger.threshold_ms);
            (made, fired_outcome(seen, detail))
        }
    }
}

/// The event that the host makes of a run that takes too long, with its delivery.
/// `original` is the event that told of the run.
pub(crate) fn make_event(
    tenant: &TenantId,
    rule: RuleId,
    alert: &Alert,
    trigger: &DurationTrigger,
    original: &Value,
    now: Timestamp,
    elapsed_ms: u64,
) -> NewEvent {
    let id = alert.made_event;
    let told = format!("the run has taken {elapsed_ms} ms; fires above {}", trigger.threshold_ms);
    let delivery = alert.delivery.clone().map(|delivery| Delivery {
        event_id: id,
        trigger: trigger.figures(elapsed_ms),
        ..delivery
    });
    NewEvent {
        id,
        tenant: tenant.clone(),
        event: exceeded(id, tenant, original, now, elapsed_ms),
        received_at: now,
        outcomes: vec![RuleOutcome::new(rule, alert.reason).with_detail(told)],
        pending_rules: None,
        deliveries: delivery
            .map(|delivery| NewDelivery { delivery, lease: None })
            .into_iter()
            .collect(),
        observations: Vec::new(),
    }
}

fn fired_outcome(seen: &Observation, detail: String) -> Option<RuleOutcome> {
    let alert = seen.alert.as_ref()?;
    Some(RuleOutcome::new(seen.rule, alert.reason).with_detail(detail))
}

fn delivery(event: &NewEvent, seen: &Observation, figures: Value) -> Option<Delivery> {
    let delivery = seen.alert.as_ref()?.delivery.clone()?;
    Some(Delivery { event_id: event.id, trigger: figures, ..delivery })
}

async fn store_made(connection: &mut AnyConnection, made: Vec<Made>) -> Result<(), StoreError> {
    let (mut deliveries, mut events) = (Vec::new(), Vec::new());
    for made in made {
        match made {
            Made::Delivery(delivery) => {
                deliveries.push(NewDelivery { delivery: *delivery, lease: None });
            }
            Made::Event(event) => events.push(*event),
        }
    }
    insert_deliveries(connection, &deliveries.iter().collect::<Vec<_>>()).await?;
    insert_made(connection, &events).await
}

async fn tell(
    connection: &mut AnyConnection,
    event: &NewEvent,
    outcomes: &[&RuleOutcome],
) -> Result<(), StoreError> {
    sqlx::query("UPDATE events SET matches = $3 WHERE tenant = $1 AND id = $2")
        .bind(event.tenant.as_str().to_owned())
        .bind(event.id.to_string())
        .bind(json_text(&outcomes))
        .execute(connection)
        .await?;
    Ok(())
}

/// When a run that is not watched any more is forgotten.
pub(crate) fn forget_run_at(now: Timestamp) -> Timestamp {
    later(now, REMEMBER_RUN)
}

fn later(from: Timestamp, wait: SignedDuration) -> Timestamp {
    from.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
