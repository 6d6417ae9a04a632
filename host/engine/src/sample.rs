//! A delivery and an event that stand for any: for test alerts, previews, and the
//! rehearsal of an endpoint that is saved.

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, DeliveryStatus};
use alerts_domain::event::Event;
use alerts_domain::id::{DeliveryId, EndpointId, EventId};
use alerts_domain::tenant::TenantId;
use bytes::Bytes;
use serde_json::json;

use crate::error::ChangeError;

/// The type of the event that a test alert is about.
const EVENT_TYPE: &str = "exosphere.alerts.test";

/// A delivery of no rule.
pub(crate) fn delivery(
    tenant: &TenantId,
    id: DeliveryId,
    event: EventId,
    endpoint: EndpointId,
    now: Timestamp,
) -> Delivery {
    Delivery {
        id,
        tenant: tenant.clone(),
        event_id: event,
        alert_rule_id: None,
        rule_name: "Test".to_owned(),
        trigger: json!({"type": "test"}),
        webhook_endpoint_id: endpoint,
        status: DeliveryStatus::Scheduled,
        attempt_count: 0,
        next_attempt_at: None,
        last_error: None,
        redrive_of: None,
        created_at: now,
        finished_at: None,
    }
}

/// A failed run, as the platform would tell of it.
pub(crate) fn event(delivery: &Delivery) -> Result<Event, ChangeError> {
    const RUN: &str = "00000000-0000-4000-8000-000000000000";
    let (tenant, at) = (delivery.tenant.as_str(), delivery.created_at);
    let event = json!({
        "specversion": "1.0",
        "id": delivery.id,
        "source": format!("/v0/namespace/{tenant}"),
        "type": EVENT_TYPE,
        "subject": format!("graph/sample-graph/run/{RUN}"),
        "time": at,
        "data": {
            "namespace": tenant,
            "graph_name": "sample-graph",
            "run_id": RUN,
            "status": "FAILED",
            "created_at": at,
            "finished_at": at,
            "duration_ms": 1234,
            "success_count": 4,
            "pending_count": 0,
            "errored_count": 1,
            "retried_count": 0,
            "total_count": 5,
            "failed_state_id": "000000000000000000000000",
            "node_name": "sample-node",
            "identifier": "sample",
        },
    });
    Event::from_structured(Bytes::from(event.to_string())).map_err(ChangeError::Invalid)
}
