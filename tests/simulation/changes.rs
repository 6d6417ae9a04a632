//! The rules and endpoints: made at first, and changed as the run goes on.

use std::collections::BTreeMap;

use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::endpoint::EndpointSpec;
use alerts_domain::header::Headers;
use alerts_domain::rule::{EventTypePattern, RuleSpec};
use alerts_domain::trigger::{DurationTrigger, Trigger};
use alerts_engine::{
    Actor, ChangeError, EndpointDraft, EndpointPatch, Engine, Expected, RulePatch,
};
use alerts_store::DeliveryChange;

use crate::faults::Outage;
use crate::model::RuleState;
use crate::observe::Seen;
use crate::plan::Step;
use crate::run::{Run, tenant};

fn actor(number: usize) -> Actor {
    Actor { tenant: tenant(number), name: "simulation".to_owned() }
}

impl Run<'_> {
    pub(crate) async fn make_resources(&mut self) {
        let engine = self.engine(0);
        for (number, endpoint) in self.plan.endpoints.iter().enumerate() {
            let spec = EndpointSpec {
                name: format!("endpoint {number}"),
                target_url: format!("http://127.0.0.1:9/t/{number}"),
                target: EndpointSpec::DEFAULT_TARGET.to_owned(),
                settings: serde_json::Map::new(),
                headers: Headers::default(),
                is_active: true,
                include_event_data: false,
                rate_limit: endpoint.rate_limit,
                gone_after: endpoint.gone_after,
            };
            let secrets = BTreeMap::new();
            let draft = EndpointDraft { spec, signing_secret: None, managed_by: None, secrets };
            let made = engine.endpoints().create(&actor(endpoint.tenant), draft).await.unwrap();
            self.endpoints.push(made.endpoint.id);
        }
        for (number, rule) in self.plan.rules.iter().enumerate() {
            let condition = rule.condition.map(|condition| alerts_domain::condition::Condition {
                language: "cel".to_owned(),
                source: condition.source.to_owned(),
            });
            let spec = RuleSpec {
                name: format!("rule {number}"),
                event_type: EventTypePattern::new(rule.event_type).unwrap(),
                condition,
                webhook_endpoint_id: self.endpoints[rule.endpoint],
                trigger: rule.trigger.clone(),
                retry_policy: rule.retry,
                rate_limit: rule.rate_limit,
                is_active: true,
            };
            let made = engine.rules().create(&actor(rule.tenant), spec, None).await.unwrap();
            self.rules.push(made.id);
        }
        // The others learn of it, as they do within a second.
        for host in 0..self.hosts.len() {
            self.tick(host).await;
        }
    }

    pub(crate) async fn change(&mut self, host: usize, change: &Step) {
        let engine = self.engine(host);
        let has_language = self.has_language(host);
        match *change {
            Step::SwitchRule(rule, is_active) => {
                let patch = RulePatch { is_active: Some(is_active), ..RulePatch::default() };
                self.patch_rule((&engine, has_language), rule, patch, |state| {
                    state.is_active = is_active
                })
                .await;
            }
            Step::SlowerRule(rule, by) => {
                let Trigger::Duration(had) = self.model.rules[rule].trigger else { return };
                let slower =
                    Trigger::Duration(DurationTrigger { threshold_ms: had.threshold_ms + by });
                let patch = RulePatch { trigger: Some(slower.clone()), ..RulePatch::default() };
                self.patch_rule((&engine, has_language), rule, patch, |state| {
                    state.trigger = slower
                })
                .await;
            }
            Step::DeleteRule(rule) if !self.model.rules[rule].is_deleted => {
                let actor = actor(self.plan.rules[rule].tenant);
                let id = self.rules[rule];
                let deleted = engine.rules().delete(&actor, id, &Expected::Whatever).await;
                if self.made(deleted).is_some() {
                    self.model.rules[rule].is_deleted = true;
                }
            }
            Step::SwitchEndpoint(endpoint, is_active)
                if !self.model.endpoints[endpoint].is_deleted =>
            {
                let patch =
                    EndpointPatch { is_active: Some(is_active), ..EndpointPatch::default() };
                let actor = actor(self.plan.endpoints[endpoint].tenant);
                let id = self.endpoints[endpoint];
                let updated =
                    engine.endpoints().update(&actor, id, &Expected::Whatever, patch).await;
                if self.made(updated).is_some() {
                    self.model.endpoints[endpoint].is_active = is_active;
                    self.world.forbid(endpoint, !is_active);
                }
            }
            Step::DeleteEndpoint(endpoint) if !self.model.endpoints[endpoint].is_deleted => {
                let actor = actor(self.plan.endpoints[endpoint].tenant);
                let id = self.endpoints[endpoint];
                let deleted = engine.endpoints().delete(&actor, id, &Expected::Whatever).await;
                if self.made(deleted).is_some() {
                    self.model.endpoints[endpoint].is_deleted = true;
                    self.world.forbid(endpoint, true);
                }
            }
            Step::LeaveEndpoint => {
                let off = Step::SwitchEndpoint(self.busiest_endpoint(), false);
                Box::pin(self.change(host, &off)).await;
            }
            Step::CancelOne => {
                let scheduled = self
                    .seen
                    .values()
                    .find(|seen| seen.delivery.status == DeliveryStatus::Scheduled);
                let Some(Seen { delivery, key }) = scheduled.cloned() else { return };
                let actor = actor(self.plan.rules[key.rule()].tenant);
                let change = engine.deliveries().cancel(&actor, delivery.id).await;
                if self.made(change) == Some(DeliveryChange::Done) {
                    self.canceled.insert(delivery.id);
                }
            }
            _ => {}
        }
    }

    async fn patch_rule(
        &mut self,
        (engine, has_language): (&Engine, bool),
        rule: usize,
        patch: RulePatch,
        apply: impl FnOnce(&mut RuleState),
    ) {
        let plan = &self.plan.rules[rule];
        let is_orphan = self.model.endpoints[plan.endpoint].is_deleted;
        // A condition that cannot be checked is refused.
        let is_refused = is_orphan || (plan.condition.is_some() && !has_language);
        if self.model.rules[rule].is_deleted || is_refused {
            return;
        }
        let (actor, id) = (actor(plan.tenant), self.rules[rule]);
        let updated = engine.rules().update(&actor, id, &Expected::Whatever, patch).await;
        if self.made(updated).is_none() {
            return;
        }
        let now = self.now();
        apply(&mut self.model.rules[rule]);
        self.model.rules[rule].changed_at = now;
    }

    /// What a change answered; none where an outage has kept it from being made.
    fn made<T>(&self, change: Result<T, impl Into<ChangeError>>) -> Option<T> {
        match change.map_err(Into::into) {
            Ok(made) => Some(made),
            Err(ChangeError::Engine(error)) => {
                self.is_outage(&error, Outage::stops_all);
                self.note(format!("  not changed: {error}"));
                None
            }
            Err(error) => panic!("{error}"),
        }
    }
}
