//! Intake: matched, committed, and only then answered.

use alerts_domain::Timestamp;
use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::event::Event;
use alerts_domain::id::{EndpointId, EventId};
use alerts_domain::outcome::Reason;
use alerts_domain::tenant::TenantId;
use alerts_store::{NewDelivery, NewEvent, StoredId};

use crate::alerting::Arrival;
use crate::dispatch::Job;
use crate::engine::Engine;
use crate::error::EngineError;

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

impl Engine {
    /// Accepts events, all or none. When this returns they are on the disk,
    /// with their deliveries.
    pub async fn accept(
        &self,
        events: Vec<(TenantId, Event)>,
    ) -> Result<Vec<Accepted>, EngineError> {
        let now = self.clock().now();
        let mut rows = Vec::with_capacity(events.len());
        let mut event_ids = Vec::with_capacity(events.len());
        for (tenant, event) in events {
            event_ids.push(event.id.clone());
            rows.push(self.judge(&tenant, event, now).await?);
        }
        let jobs: Vec<(usize, Job)> = rows
            .iter()
            .enumerate()
            .flat_map(|(index, row)| Job::of_new(row).map(move |job| (index, job)))
            .collect();
        let told: Vec<Vec<Reason>> = rows.iter().map(reasons).collect();
        let left: Vec<EndpointId> = rows.iter().flat_map(unleased).collect();
        let alerts: Vec<(usize, EndpointId)> = rows
            .iter()
            .enumerate()
            .flat_map(|(index, row)| remembered(row).map(move |endpoint| (index, endpoint)))
            .collect();
        let any_pending = rows.iter().any(|row| row.pending_rules.is_some());
        let stored = match self.store().accept(rows).await {
            Ok(stored) => stored,
            Err(error) => {
                if error.is_in_doubt() {
                    self.give_back(jobs.into_iter().map(|(_, job)| job).collect());
                }
                return Err(error.into());
            }
        };
        for (index, job) in jobs {
            if !stored[index].duplicate {
                self.dispatcher().push(job);
            }
        }
        for (row, reasons) in stored.iter().zip(told) {
            match row.duplicate {
                true => count(reasons.iter().map(|_| Reason::Duplicate)),
                false => count(reasons.iter().chain(&row.remembering).copied()),
            }
        }
        let fired = |row: &StoredId| row.remembering.iter().any(|reason| reason.is_fired());
        let fired = alerts.into_iter().filter(|(index, _)| fired(&stored[*index]));
        for endpoint in left.into_iter().chain(fired.map(|(_, endpoint)| endpoint)) {
            self.dispatcher().left_in_store(endpoint, now);
        }
        self.pump();
        let mut remembering = stored.iter().flat_map(|row| &row.remembering);
        if remembering.any(|reason| *reason == Reason::Watching) {
            self.wake_timers();
        }
        if any_pending {
            self.wake_deferred();
        }
        let duplicates = stored.iter().filter(|row| row.duplicate).count() as u64;
        metrics::counter!("alerts_events_accepted_total")
            .increment(stored.len() as u64 - duplicates);
        metrics::counter!("alerts_events_duplicate_total").increment(duplicates);
        Ok(stored
            .into_iter()
            .zip(event_ids)
            .map(|(row, event_id)| Accepted { id: row.id, event_id, duplicate: row.duplicate })
            .collect())
    }

    /// Asks an event's rules, and puts together all that is to be stored.
    async fn judge(
        &self,
        tenant: &TenantId,
        event: Event,
        now: Timestamp,
    ) -> Result<NewEvent, EngineError> {
        let id = self.entropy().id(now, EventId::new);
        let catalog = self.catalog().get(tenant).await?;
        let rules = catalog.rules_for(&event.event_type);
        let matches = self.matcher().matches(tenant, &event, rules).await;
        let arrival = Arrival { tenant, catalog: &catalog, id, event, received_at: now };
        Ok(self.follow_up(arrival, matches))
    }
}

/// The endpoints of deliveries for which there was no room.
fn unleased(row: &NewEvent) -> impl Iterator<Item = EndpointId> {
    let left = row
        .deliveries
        .iter()
        .filter(|new| new.lease.is_none() && new.delivery.status == DeliveryStatus::Scheduled);
    left.map(|new| new.delivery.webhook_endpoint_id)
}

/// The endpoints of what rules with a memory send, should they fire.
fn remembered(row: &NewEvent) -> impl Iterator<Item = EndpointId> {
    let alerts = row.observations.iter().filter_map(|seen| seen.alert.as_ref()?.delivery.as_ref());
    alerts.map(|delivery| delivery.webhook_endpoint_id)
}

/// What is known of an event's rules before it is stored.
fn reasons(row: &NewEvent) -> Vec<Reason> {
    row.outcomes.iter().map(|outcome| outcome.reason).collect()
}

/// Counts what became of rules.
pub(crate) fn count(reasons: impl IntoIterator<Item = Reason>) {
    for reason in reasons {
        metrics::counter!("alerts_rule_outcomes_total", "reason" => reason.word()).increment(1);
    }
}

impl Job {
    /// The work that a new event means for this host.
    fn of_new(new: &NewEvent) -> impl Iterator<Item = Self> {
        new.deliveries.iter().filter_map(|NewDelivery { delivery, lease }| {
            Some(Self {
                delivery: delivery.clone(),
                lease: (*lease)?,
                event_body: new.event.body.clone(),
                received_at: new.received_at,
            })
        })
    }
}
