//! Accepting events: matched, committed, and only then answered.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::event::Event;
use alerts_domain::id::{EndpointId, EventId};
use alerts_domain::outcome::Reason;
use alerts_domain::tenant::TenantId;
use alerts_store::{NewDelivery, NewEvent, Store, StoredId};

use super::alerting::{Alerting, Arrival};
use super::matching::Matcher;
use super::outcomes;
use crate::catalog::{Catalog, TenantCatalog};
use crate::clock::Clock;
use crate::dispatch::{Dispatcher, Job, JobEvent, Recorder, Workers};
use crate::entropy::Entropy;
use crate::error::EngineError;
use crate::wakes::Wakes;

/// Most deliveries that one call may make, with those that rules with a memory would
/// make if all of them fired: some tens of MiB in memory, and a commit of a second.
const MAX_DELIVERIES: usize = 10_000;

/// An event that is safely stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The id it has here; that of the first one when it is a duplicate.
    pub id: EventId,
    /// The emitter's id.
    pub event_id: String,
    /// Whether it was known already; then nothing is sent for it again.
    pub duplicate: bool,
}

/// The way in for events. Cheap to clone.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct Intake {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) matcher: Matcher,
    pub(crate) alerting: Alerting,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) workers: Workers,
    pub(crate) recorder: Recorder,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) wakes: Wakes,
}

impl Intake {
    /// Accepts events, all or none. When this returns they are on the disk,
    /// with their deliveries.
    ///
    /// # Errors
    /// The database; or the events match so many rules that nothing of them was stored.
    pub async fn accept(
        &self,
        events: Vec<(TenantId, Event)>,
    ) -> Result<Vec<Accepted>, EngineError> {
        let now = self.clock.now();
        let mut rows = Vec::with_capacity(events.len());
        let mut sequels = Vec::with_capacity(events.len());
        let (count, mut deliveries) = (events.len(), 0);
        for (tenant, event) in events {
            let catalog = self.catalog.get(&tenant).await?;
            let row = self.judge(&tenant, &catalog, event, now).await;
            deliveries += most_deliveries(&row);
            if deliveries > MAX_DELIVERIES {
                let limit = MAX_DELIVERIES;
                return Err(EngineError::TooManyDeliveries { events: count, limit });
            }
            sequels.push(Sequel::of(&row, &catalog, &self.dispatcher));
            rows.push(row);
        }
        let stored = match self.store.accept(rows).await {
            Ok(stored) => stored,
            Err(error) => {
                if error.is_in_doubt() {
                    let jobs = sequels.into_iter().flat_map(|sequel| sequel.jobs);
                    self.recorder.give_back(jobs.collect(), self.clock.now());
                }
                return Err(error.into());
            }
        };
        let mut accepted = Vec::with_capacity(stored.len());
        for (row, sequel) in stored.into_iter().zip(sequels) {
            accepted.push(self.go_on(row, sequel, now));
        }
        self.workers.pump();
        let duplicates = accepted.iter().filter(|event| event.duplicate).count() as u64;
        metrics::counter!("alerts_events_accepted_total")
            .increment(accepted.len() as u64 - duplicates);
        metrics::counter!("alerts_events_duplicate_total").increment(duplicates);
        Ok(accepted)
    }

    /// Asks an event's rules, and puts together all that is to be stored.
    async fn judge(
        &self,
        tenant: &TenantId,
        catalog: &Arc<TenantCatalog>,
        event: Event,
        now: Timestamp,
    ) -> NewEvent {
        let id = self.entropy.id(now, EventId::new);
        let rules = catalog.rules_for(&event.event_type);
        let matches = self.matcher.matches(tenant, &event, rules).await;
        self.alerting.follow_up(Arrival { tenant, catalog, id, event, received_at: now }, matches)
    }

    /// Sets going what follows from an event that is stored now.
    fn go_on(&self, row: StoredId, sequel: Sequel, now: Timestamp) -> Accepted {
        let StoredId { id, duplicate, remembering } = row;
        let Sequel { event_id, jobs, reasons, left, remembered, is_pending } = sequel;
        if duplicate {
            outcomes::count(reasons.iter().map(|_| Reason::Duplicate));
            return Accepted { id, event_id, duplicate };
        }
        outcomes::count(reasons.into_iter().chain(remembering.iter().cloned()));
        jobs.into_iter().for_each(|job| self.dispatcher.push(job));
        let has_fired = remembering.iter().any(|reason| reason.is_fired());
        let fired = remembered.into_iter().filter(|_| has_fired);
        for endpoint in left.into_iter().chain(fired) {
            self.dispatcher.left_in_store(endpoint, now);
        }
        if has_fired || remembering.iter().any(sets_a_timer) {
            self.wakes.timers.notify_one();
        }
        if is_pending {
            self.wakes.deferred.notify_one();
        }
        Accepted { id, event_id, duplicate }
    }
}

/// Whether something is due now that was not before. So it may be where a rule has
/// fired: the end of that is told too.
fn sets_a_timer(reason: &Reason) -> bool {
    matches!(reason, Reason::Watching | Reason::Recovered)
}

/// How many deliveries an event makes, if all that may fire does.
fn most_deliveries(row: &NewEvent) -> usize {
    let alerts = row.observations.iter().filter(|seen| seen.alert.is_some()).count();
    row.deliveries.len() + alerts
}

/// What is to be done about an event once it is stored. Noted before, since the
/// store keeps what it is given.
struct Sequel {
    event_id: String,
    /// What this host's own workers do.
    jobs: Vec<Job>,
    /// What is known of the event's rules before it is stored.
    reasons: Vec<Reason>,
    /// The endpoints of deliveries for which there was no room.
    left: Vec<EndpointId>,
    /// The endpoints of what rules with a memory send, should they fire.
    remembered: Vec<EndpointId>,
    is_pending: bool,
}

impl Sequel {
    fn of(row: &NewEvent, catalog: &TenantCatalog, dispatcher: &Dispatcher) -> Self {
        let job = |new: &NewDelivery| {
            let NewDelivery { delivery, lease } = new;
            let limits = catalog.limits(delivery.webhook_endpoint_id, delivery.alert_rule_id);
            let lease = (*lease)?;
            let event = JobEvent {
                event_type: Some(row.event.event_type.clone()),
                body: row.event.body.clone(),
                received_at: row.received_at,
            };
            Some(dispatcher.hold(delivery.clone(), lease, event, limits))
        };
        let is_left = |new: &&NewDelivery| {
            new.lease.is_none() && new.delivery.status == DeliveryStatus::Scheduled
        };
        let endpoint = |new: &NewDelivery| new.delivery.webhook_endpoint_id;
        let alerts = row.observations.iter().filter_map(|seen| seen.alert.as_ref());
        let alerts = alerts.filter_map(|alert| alert.delivery.as_ref());
        Self {
            event_id: row.event.id.clone(),
            jobs: row.deliveries.iter().filter_map(job).collect(),
            reasons: row.outcomes.iter().map(|outcome| outcome.reason.clone()).collect(),
            left: row.deliveries.iter().filter(is_left).map(endpoint).collect(),
            remembered: alerts.map(|delivery| delivery.webhook_endpoint_id).collect(),
            is_pending: row.pending_rules.is_some(),
        }
    }
}
