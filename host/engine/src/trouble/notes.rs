//! What is noted where trouble happens, until it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerts_domain::Timestamp;
use alerts_domain::delivery::Transition;
use alerts_domain::id::{EndpointId, HostId, RuleId};
use alerts_domain::own_event::{CONDITION_FAILING, DEAD_LETTERS, OwnEvent, RULE_DISABLED, is_own};
use alerts_domain::tenant::TenantId;
use alerts_domain::text;
use alerts_store::Finished;
use serde_json::json;

use super::endpoint::EndpointNotes;
use super::rule::{self, RuleNotes};
use super::{GAP, occasion};
use crate::dispatch::CircuitState;
use crate::live::LiveRule;

/// Endpoints and rules of which something is noted, at most; more in trouble at once are one
/// trouble, of which operators know. Some hundred bytes each.
const MAX_ENDPOINTS: usize = 10_000;
const MAX_RULES: usize = 10_000;
/// Rules that were switched off and not told of yet, at most.
const MAX_DISABLED: usize = 1_000;
/// Longest error that is told, in bytes.
const MAX_ERROR_BYTES: usize = 1_024;

/// The notes. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct TroubleNotes(Arc<Mutex<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    endpoints: HashMap<EndpointId, (TenantId, EndpointNotes)>,
    rules: HashMap<RuleId, (TenantId, RuleNotes)>,
    disabled: Vec<Due>,
}

/// An event that is to be told, and what it is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Due {
    pub(crate) event: OwnEvent,
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) rule: Option<RuleId>,
}

/// Whether it is the delivery of an event about trouble.
fn is_of_own(finished: &Finished) -> bool {
    finished.event_type.as_deref().is_some_and(is_own)
}

impl TroubleNotes {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A target has failed: its circuit is looked at from now on.
    pub(crate) fn target_failed(&self, finished: &Finished) {
        self.of_endpoint(finished, |notes| notes.failed(finished.now));
    }

    /// A delivery has become a dead letter.
    pub(crate) fn buried(&self, finished: &Finished) {
        let error = text::kept(error_of(&finished.transition), MAX_ERROR_BYTES);
        let rule = finished.alert_rule_id;
        self.of_endpoint(finished, |notes| notes.buried(rule, &error, finished.now));
    }

    fn of_endpoint(&self, finished: &Finished, note: impl FnOnce(&mut EndpointNotes)) {
        if is_of_own(finished) {
            return;
        }
        let mut notes = self.notes();
        let (known, id) = (notes.endpoints.len(), finished.webhook_endpoint_id);
        if known >= MAX_ENDPOINTS && !notes.endpoints.contains_key(&id) {
            return;
        }
        let new = || (finished.tenant.clone(), EndpointNotes::new(finished.now));
        note(&mut notes.endpoints.entry(id).or_insert_with(new).1);
    }

    /// A rule was switched off with this delivery.
    pub(crate) fn rule_disabled(&self, finished: &Finished) {
        let Some(rule) = finished.alert_rule_id.filter(|_| !is_of_own(finished)) else { return };
        let mut notes = self.notes();
        if notes.disabled.len() < MAX_DISABLED {
            let endpoint = finished.webhook_endpoint_id;
            let reason = text::kept(error_of(&finished.transition), MAX_ERROR_BYTES);
            let event = OwnEvent {
                namespace: finished.tenant.clone(),
                event_type: RULE_DISABLED,
                subject: format!("rule/{rule}"),
                occasion: finished.id.to_string(),
                at: finished.now,
                data: json!({"reason": reason}),
            };
            notes.disabled.push(Due { event, endpoint: Some(endpoint), rule: Some(rule) });
        }
    }

    /// A rule's condition has failed with an event of this type.
    pub(crate) fn condition_failed(&self, rule: &LiveRule, event_type: &str, error: &str) {
        if is_own(event_type) {
            return;
        }
        let (id, tenant) = (rule.stored.id, &rule.stored.tenant);
        let mut notes = self.notes();
        if notes.rules.len() < MAX_RULES || notes.rules.contains_key(&id) {
            let new = || (tenant.clone(), RuleNotes::new());
            let (_, notes) = notes.rules.entry(id).or_insert_with(new);
            notes.failed(&text::kept(error, MAX_ERROR_BYTES));
        }
    }

    /// What is to be told by now, and forgets what is over. What `host` has counted alone
    /// bears its name: another one's count is another.
    pub(crate) fn due(
        &self,
        host: HostId,
        now: Timestamp,
        circuit: impl Fn(EndpointId) -> CircuitState,
    ) -> Vec<Due> {
        let mut notes = self.notes();
        let mut due = std::mem::take(&mut notes.disabled);
        notes.endpoints.retain(|&id, (tenant, notes)| {
            let circuit = circuit(id);
            for (event_type, data) in notes.due(circuit, now) {
                let mut occasion = occasion(now, GAP);
                if event_type == DEAD_LETTERS {
                    occasion = format!("{host}/{occasion}");
                }
                let subject = format!("endpoint/{id}");
                let namespace = tenant.clone();
                let event = OwnEvent { namespace, event_type, subject, occasion, at: now, data };
                due.push(Due { event, endpoint: Some(id), rule: None });
            }
            !notes.is_over(circuit, now)
        });
        notes.rules.retain(|&id, (tenant, notes)| {
            if let Some(error) = notes.due(now) {
                let event = OwnEvent {
                    namespace: tenant.clone(),
                    event_type: CONDITION_FAILING,
                    subject: format!("rule/{id}"),
                    occasion: occasion(now, rule::GAP),
                    at: now,
                    data: json!({"error": error}),
                };
                due.push(Due { event, endpoint: None, rule: Some(id) });
            }
            !notes.is_over(now)
        });
        due
    }
}

/// Why a delivery ended as it did.
fn error_of(transition: &Transition) -> &str {
    match transition {
        Transition::Bury { error, .. }
        | Transition::Gone { error, .. }
        | Transition::Retry { error, .. } => error.as_str(),
        Transition::Deliver | Transition::Supersede { .. } | Transition::Release { .. } => "",
    }
}
