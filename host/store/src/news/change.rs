//! One change, with as much of it as a row of a list needs.

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, DeliveryStatus, Transition};
use alerts_domain::id::{DeliveryId, EndpointId, EventId, RuleId};
use serde::{Deserialize, Serialize};

use crate::finished::Finished;
use crate::new_event::NewEvent;

/// One change of what a tenant has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum News {
    /// An event was stored.
    Event {
        /// Which one.
        id: EventId,
        /// Its type.
        event_type: String,
        /// When it came in.
        received_at: Timestamp,
    },
    /// A delivery was made, or stands otherwise than before.
    Delivery(DeliveryNews),
    /// A rule was made, changed, switched off or deleted.
    Rule {
        /// Which one.
        id: String,
        /// As the audit log says it.
        action: String,
        /// When.
        updated_at: Timestamp,
    },
    /// The same of a webhook endpoint.
    Endpoint {
        /// Which one.
        id: String,
        /// As the audit log says it.
        action: String,
        /// When.
        updated_at: Timestamp,
    },
    /// More than is told one by one: whoever watches must look at everything again.
    TooMany,
}

/// How a delivery stands now. What is absent is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryNews {
    /// Which one.
    pub id: DeliveryId,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Where it goes.
    pub webhook_endpoint_id: EndpointId,
    /// Why it is sent; none for a test.
    pub alert_rule_id: Option<RuleId>,
    /// What happened; with a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Attempts recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_count: Option<u32>,
    /// When it is due, while it is scheduled.
    pub next_attempt_at: Option<Timestamp>,
    /// When it came to stand so.
    pub updated_at: Timestamp,
}

impl News {
    pub(crate) fn event(new: &NewEvent) -> Self {
        Self::Event {
            id: new.id,
            event_type: new.event.event_type.clone(),
            received_at: new.received_at,
        }
    }

    /// A delivery as it is stored at this time.
    pub(crate) fn delivery(delivery: &Delivery, updated_at: Timestamp) -> Self {
        Self::Delivery(DeliveryNews {
            id: delivery.id,
            status: delivery.status,
            webhook_endpoint_id: delivery.webhook_endpoint_id,
            alert_rule_id: delivery.alert_rule_id,
            event_id: Some(delivery.event_id),
            attempt_count: Some(delivery.attempt_count),
            next_attempt_at: delivery.next_attempt_at,
            updated_at,
        })
    }

    /// A delivery of which a result was written down.
    pub(crate) fn ended(finished: &Finished, end: &Transition) -> Self {
        let next_attempt_at = match end {
            Transition::Retry { at, .. } | Transition::Release { at, .. } => Some(*at),
            Transition::Deliver
            | Transition::Bury { .. }
            | Transition::Gone { .. }
            | Transition::Supersede { .. } => None,
        };
        Self::Delivery(DeliveryNews {
            id: finished.id,
            status: end.status(),
            webhook_endpoint_id: finished.webhook_endpoint_id,
            alert_rule_id: finished.alert_rule_id,
            event_id: None,
            attempt_count: finished.attempt.as_ref().map(|attempt| attempt.number),
            next_attempt_at,
            updated_at: finished.now,
        })
    }
}
