//! What follows from a match: the deliveries of the rules that fire for each
//! event, what rules with a memory are shown, and what is told of each rule.

use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, DeliveryStatus, Lease};
use alerts_domain::event::Event;
use alerts_domain::id::{DeliveryId, EventId, HostId};
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::{Alert, Observation, Observed, Trigger};
use alerts_package::Kind;
use alerts_store::{NewDelivery, NewEvent};
use serde_json::Value;

use super::matching::{Matches, Verdict};
use crate::catalog::TenantCatalog;
use crate::dispatch::Dispatcher;
use crate::entropy::Entropy;
use crate::live::LiveRule;
use crate::plugins::Plugins;

/// An event that came in, with its place in time and among the tenants.
pub(crate) struct Arrival<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) catalog: &'a Arc<TenantCatalog>,
    pub(crate) id: EventId,
    pub(crate) event: Event,
    pub(crate) received_at: Timestamp,
}

/// Makes what follows from matches. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Alerting {
    pub(crate) host: HostId,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) plugins: Plugins,
    pub(crate) entropy: Arc<Entropy>,
}

impl Alerting {
    /// The event with all that follows from what matched.
    pub(crate) fn follow_up(&self, arrival: Arrival<'_>, matches: Matches) -> NewEvent {
        let pending = matches.pending();
        let mut outcomes = matches.outcomes;
        let mut deliveries = Vec::new();
        for rule in &matches.fired {
            let Arrival { tenant, catalog, id, received_at, .. } = &arrival;
            let (reason, delivery) = self.alert(tenant, catalog, *id, rule, *received_at);
            outcomes.push(RuleOutcome::new(rule.stored.id, reason));
            deliveries.extend(delivery.map(|delivery| self.hand_over(delivery)));
        }
        let mut observations = Vec::new();
        if !matches.remembering.is_empty() {
            let data = arrival.event.data();
            for (rule, verdict) in &matches.remembering {
                match self.observation(&arrival, rule, verdict, &data) {
                    Ok(observation) => observations.push(observation),
                    Err(outcome) if rule.stored.spec.is_active => outcomes.push(outcome),
                    Err(_) => {}
                }
            }
        }
        NewEvent {
            id: arrival.id,
            tenant: arrival.tenant.clone(),
            event: arrival.event,
            received_at: arrival.received_at,
            outcomes,
            pending_rules: (!pending.is_empty()).then_some(pending),
            deliveries,
            observations,
        }
    }

    /// What a rule sends now for an event, and what is told of it.
    fn alert(
        &self,
        tenant: &TenantId,
        catalog: &TenantCatalog,
        event_id: EventId,
        rule: &LiveRule,
        now: Timestamp,
    ) -> (Reason, Option<Delivery>) {
        let spec = &rule.stored.spec;
        let Some(is_active) = catalog.is_active(spec.webhook_endpoint_id) else {
            return (Reason::EndpointDeleted, None);
        };
        if !catalog.is_open() {
            return (Reason::NotInRollout, None);
        }
        let (reason, status) = match is_active {
            true if self.waits_for_limit(tenant, catalog, rule, now) => {
                (Reason::RateLimited, DeliveryStatus::Scheduled)
            }
            true => (Reason::Fired, DeliveryStatus::Scheduled),
            false => (Reason::EndpointOff, DeliveryStatus::Skipped),
        };
        let delivery = Delivery {
            id: self.entropy.id(now, DeliveryId::new),
            tenant: tenant.clone(),
            event_id,
            alert_rule_id: Some(rule.stored.id),
            rule_name: spec.name.clone(),
            trigger: serde_json::to_value(&spec.trigger).unwrap_or_default(),
            webhook_endpoint_id: spec.webhook_endpoint_id,
            status,
            attempt_count: 0,
            next_attempt_at: is_active.then_some(now),
            last_error: (!is_active).then(|| "the webhook endpoint is switched off".to_owned()),
            redrive_of: None,
            created_at: now,
            finished_at: (!is_active).then_some(now),
        };
        (reason, Some(delivery))
    }

    /// Whether what a rule sends now would have to wait for a rate limit.
    fn waits_for_limit(
        &self,
        tenant: &TenantId,
        catalog: &TenantCatalog,
        rule: &LiveRule,
        now: Timestamp,
    ) -> bool {
        let (endpoint, rule) = (rule.stored.spec.webhook_endpoint_id, rule.stored.id);
        let limits = catalog.limits(endpoint, Some(rule));
        self.dispatcher.waits_for_limit(tenant, endpoint, rule, limits, now)
    }

    /// Gives a delivery to this host's own workers where there is room; else it
    /// is left for whoever has some.
    fn hand_over(&self, mut delivery: Delivery) -> NewDelivery {
        let (endpoint, now) = (delivery.webhook_endpoint_id, delivery.created_at);
        let is_ours =
            delivery.status == DeliveryStatus::Scheduled && self.dispatcher.has_room(endpoint, now);
        let lease = is_ours.then_some(Lease { host: self.host, fence: 1 });
        if lease.is_some() {
            delivery.status = DeliveryStatus::Leased;
            delivery.next_attempt_at = None;
        }
        NewDelivery { delivery, lease }
    }

    /// What a rule with a memory is shown, or what is told of it when there is
    /// nothing to see.
    fn observation(
        &self,
        arrival: &Arrival<'_>,
        rule: &LiveRule,
        verdict: &Verdict,
        data: &Value,
    ) -> Result<Observation, RuleOutcome> {
        let withheld = verdict.outcome(rule.stored.id);
        let Arrival { event, received_at, .. } = arrival;
        let spec = &rule.stored.spec;
        let may_fire = withheld.is_none() && spec.is_active;
        let seen =
            Observed::of(&spec.trigger, &spec.event_type, event, data, *received_at, may_fire)
                .map_err(|nothing| match &withheld {
                    // The condition has more to say of why it was not counted.
                    Some(told) if nothing.reason == Reason::ConditionFalse => told.clone(),
                    _ => nothing.of(rule.stored.id),
                })?;
        let seen = match self.tells_end(arrival.catalog, rule) {
            true => seen.telling_the_end(),
            false => seen,
        };
        // A start that may still hold must not be taken for one that does not.
        if let (Verdict::Pending(_), Some(outcome), true) = (verdict, &withheld, seen.is_start()) {
            return Err(outcome.clone());
        }
        let alert = rule.stored.spec.is_active.then(|| Alert {
            withheld,
            ..self.prepared(arrival.tenant, arrival.catalog, rule, *received_at)
        });
        Ok(Observation { rule: rule.stored.id, seen, alert })
    }

    /// Whether another alert tells of the end of a breach: as the rule says, else as its
    /// endpoint's target wants it.
    pub(crate) fn tells_end(&self, catalog: &TenantCatalog, rule: &LiveRule) -> bool {
        let spec = &rule.stored.spec;
        let Trigger::Threshold(trigger) = &spec.trigger else { return false };
        trigger.recovery.unwrap_or_else(|| {
            let endpoint = catalog.endpoint(spec.webhook_endpoint_id);
            let target = endpoint.map(|endpoint| &endpoint.stored().spec.target);
            let plugin = target.and_then(|target| self.plugins.get(Kind::Target, target));
            plugin.is_some_and(|plugin| plugin.manifest().recoveries)
        })
    }

    /// What a rule with a memory sends, should it fire.
    pub(crate) fn prepared(
        &self,
        tenant: &TenantId,
        catalog: &TenantCatalog,
        rule: &LiveRule,
        now: Timestamp,
    ) -> Alert {
        let made_event = self.entropy.id(now, EventId::new);
        let (reason, delivery) = self.alert(tenant, catalog, made_event, rule, now);
        Alert { reason, withheld: None, delivery, made_event }
    }
}
