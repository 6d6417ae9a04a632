//! A delivery as the API shows it.

use std::collections::HashMap;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Attempt, Delivery, DeliveryStatus};
use alerts_domain::exchange::Exchange;
use alerts_domain::id::{DeliveryId, EndpointId, EventId, RuleId};
use serde::Serialize;

/// One alert on its way to one endpoint.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Delivery)]
pub(in crate::api) struct DeliveryView {
    id: DeliveryId,
    event_id: EventId,
    /// Null for a test.
    alert_rule_id: Option<RuleId>,
    /// The rule's name when it fired.
    rule_name: String,
    /// Why it fired: the trigger's type and figures, as the alert shows them.
    #[schema(value_type = Object)]
    trigger: serde_json::Value,
    webhook_endpoint_id: EndpointId,
    status: DeliveryStatus,
    attempt_count: u32,
    /// When it is due, while it is scheduled.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, or why it was skipped.
    last_error: Option<String>,
    /// The dead or skipped delivery that it repeats.
    redrive_of: Option<DeliveryId>,
    /// The newest delivery that repeats this one, if it was sent again.
    redriven_as: Option<DeliveryId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it reached a state that is never left.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// The first one first. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<AttemptView>>,
}

/// One try at a delivery.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Attempt)]
pub(in crate::api) struct AttemptView {
    /// From 1.
    number: u32,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    duration_ms: u64,
    /// Of the last response, if there was one.
    status_code: Option<u16>,
    /// `delivered`, `retry`, `rejected` or `gone`.
    #[schema(example = "delivered")]
    verdict: String,
    /// Why it failed.
    error: Option<String>,
    /// What the target adapter noted when the target took it: a vendor's message
    /// id, say.
    note: Option<String>,
    /// SHA-256 of the plugin that decided it.
    plugin_digest: String,
    /// Version of the endpoint's settings that it used.
    endpoint_version: i64,
    /// What was said, with references in place of secrets: each a `request`
    /// and its `outcome`.
    #[schema(value_type = Vec<Object>)]
    exchanges: Vec<Exchange>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            event_id: delivery.event_id,
            alert_rule_id: delivery.alert_rule_id,
            rule_name: delivery.rule_name,
            trigger: delivery.trigger,
            webhook_endpoint_id: delivery.webhook_endpoint_id,
            status: delivery.status,
            attempt_count: delivery.attempt_count,
            next_attempt_at: delivery.next_attempt_at,
            last_error: delivery.last_error,
            redrive_of: delivery.redrive_of,
            redriven_as: None,
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
            attempts: None,
        }
    }
}

impl DeliveryView {
    /// A delivery and what was tried.
    pub(in crate::api) fn with_attempts(delivery: Delivery, attempts: Vec<Attempt>) -> Self {
        let attempts = attempts.into_iter().map(AttemptView::from).collect();
        Self { attempts: Some(attempts), ..delivery.into() }
    }

    /// Of those that may have been sent again, the id.
    pub(super) fn redrivable(&self) -> Option<DeliveryId> {
        self.status.can_be_redriven().then_some(self.id)
    }

    /// With what repeats it, by the id of what is repeated.
    pub(super) fn repeated(mut self, by: &HashMap<DeliveryId, DeliveryId>) -> Self {
        self.redriven_as = by.get(&self.id).copied();
        self
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            status_code: attempt.status_code,
            verdict: attempt.verdict,
            error: attempt.error.map(Into::into),
            note: attempt.note,
            plugin_digest: attempt.plugin_digest,
            endpoint_version: attempt.endpoint_version,
            exchanges: attempt.exchanges,
        }
    }
}
