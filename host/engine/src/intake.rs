//! Intake: matched, committed, and only then answered.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, DeliveryStatus, Lease};
use alerts_domain::event::Event;
use alerts_domain::id::{DeliveryId, EventId};
use alerts_domain::tenant::TenantId;
use alerts_store::{NewDelivery, NewEvent};
use bytes::Bytes;

use crate::catalog::{LiveRule, TenantCatalog};
use crate::dispatch::Job;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::matching::Matches;

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
        let mut jobs = Vec::new();
        let mut event_ids = Vec::with_capacity(events.len());
        for (tenant, event) in events {
            let id = self.entropy().id(now, EventId::new);
            let catalog = self.catalog().get(&tenant).await?;
            let rules = catalog.rules_for(&event.event_type);
            let matches = self.matcher().matches(&tenant, &catalog, &event, rules).await;
            let deliveries = self.deliveries(&tenant, &catalog, id, now, &matches);
            jobs.extend(deliveries.iter().filter_map(|new| {
                Job::of_new(new, event.body.clone(), now).map(|job| (rows.len(), job))
            }));
            event_ids.push(event.id.clone());
            let pending = matches.pending();
            rows.push(NewEvent {
                id,
                tenant,
                event,
                received_at: now,
                matches: to_json(&matches),
                pending_rules: (!pending.is_empty()).then_some(pending),
                deliveries,
            });
        }
        let left = |new: &NewDelivery| {
            let is_due = new.delivery.status == DeliveryStatus::Scheduled;
            is_due.then_some(new.delivery.webhook_endpoint_id)
        };
        let left: Vec<_> = rows.iter().flat_map(|row| &row.deliveries).filter_map(left).collect();
        let any_pending = rows.iter().any(|row| row.pending_rules.is_some());
        let stored = self.store().accept(rows).await?;
        for (index, job) in jobs {
            if !stored[index].duplicate {
                self.dispatcher().push(job);
            }
        }
        for endpoint in left {
            self.dispatcher().left_in_store(endpoint, now);
        }
        self.pump();
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

    /// The deliveries that an event's matches make: handed to this host's own
    /// workers at once where there is room, else left for whoever has some.
    pub(crate) fn deliveries(
        &self,
        tenant: &TenantId,
        catalog: &Arc<TenantCatalog>,
        event_id: EventId,
        now: Timestamp,
        matches: &Matches,
    ) -> Vec<NewDelivery> {
        let new = |rule: &Arc<LiveRule>| {
            let endpoint = catalog.endpoint(rule.stored.spec.webhook_endpoint_id)?;
            let endpoint_id = endpoint.stored().id;
            let is_active = endpoint.stored().spec.is_active;
            let lease = (is_active && self.dispatcher().has_room(endpoint_id, now))
                .then(|| Lease { host: self.host_id(), fence: 1 });
            let status = match (is_active, lease) {
                (false, _) => DeliveryStatus::Skipped,
                (true, Some(_)) => DeliveryStatus::Leased,
                (true, None) => DeliveryStatus::Scheduled,
            };
            let delivery = Delivery {
                id: self.entropy().id(now, DeliveryId::new),
                tenant: tenant.clone(),
                event_id,
                alert_rule_id: Some(rule.stored.id),
                rule_name: rule.stored.spec.name.clone(),
                trigger: serde_json::to_value(&rule.stored.spec.trigger).unwrap_or_default(),
                webhook_endpoint_id: endpoint_id,
                status,
                attempt_count: 0,
                next_attempt_at: (status == DeliveryStatus::Scheduled).then_some(now),
                last_error: (!is_active).then(|| "the webhook endpoint is switched off".to_owned()),
                redrive_of: None,
                created_at: now,
                finished_at: (!is_active).then_some(now),
            };
            Some(NewDelivery { delivery, lease })
        };
        matches.fired.iter().filter_map(new).collect()
    }
}

/// The outcomes as stored with the event.
pub(crate) fn to_json(matches: &Matches) -> String {
    serde_json::to_string(&matches.outcomes).unwrap_or_else(|_| "[]".to_owned())
}

impl Job {
    /// The work a new delivery means for this host, if it is this host's.
    fn of_new(new: &NewDelivery, event_body: Bytes, received_at: Timestamp) -> Option<Self> {
        let lease = new.lease?;
        Some(Self { delivery: new.delivery.clone(), lease, event_body, received_at })
    }
}
