//! A stored event as the API shows it: its bytes as posted, and the outcomes as
//! stored, put together without reading either.

use alerts_domain::Timestamp;
use alerts_domain::id::EventId;
use alerts_domain::outcome::RuleOutcome;
use alerts_store::StoredEvent;
use serde::Serialize;
use serde_json::value::RawValue;

/// An event and what became of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = StoredEvent)]
pub(super) struct StoredEventView {
    id: EventId,
    /// The CloudEvent, as posted.
    #[schema(value_type = Object, example = json!({
        "specversion": "1.0", "id": "run-1-failed-1", "source": "/v0/namespace/payments",
        "type": "workflow.failed", "data": {"graph_name": "nightly-etl"}
    }))]
    event: Box<RawValue>,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// What became of each rule that looked at it.
    #[schema(value_type = Vec<RuleOutcome>)]
    rules: Box<RawValue>,
}

impl From<StoredEvent> for StoredEventView {
    fn from(event: StoredEvent) -> Self {
        let StoredEvent { id, body, received_at, matches } = event;
        let body = String::from_utf8(body.into()).unwrap_or_default();
        Self { id, event: raw(body), received_at, rules: raw(matches) }
    }
}

/// Intake let only JSON in; what does not read now is damaged, and shown as null.
fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_shown_byte_for_byte() {
        let body = r#"{ "id":"1",  "data": {"x": 1.0} }"#;
        let stored = StoredEvent {
            id: EventId::new(Timestamp::UNIX_EPOCH, 1),
            body: body.as_bytes().to_vec().into(),
            received_at: Timestamp::UNIX_EPOCH,
            matches: "[]".to_owned(),
        };
        let shown = serde_json::to_string(&StoredEventView::from(stored)).unwrap();
        assert!(shown.contains(body), "{shown}");
        assert!(shown.ends_with(r#""rules":[]}"#), "{shown}");
    }
}
