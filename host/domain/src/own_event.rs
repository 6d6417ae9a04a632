//! Events that the host makes about its own trouble: one form for all of them.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::tenant::TenantId;

/// What the types of all own events begin with.
pub const PREFIX: &str = "exosphere.alerts.";

/// Of a platform that is watched: it cannot be asked, and it can again.
pub const SOURCE_FAILING: &str = "exosphere.alerts.source_failing";
/// See [`SOURCE_FAILING`].
pub const SOURCE_RECOVERED: &str = "exosphere.alerts.source_recovered";
/// The host has switched a rule off.
pub const RULE_DISABLED: &str = "exosphere.alerts.rule_disabled";
/// A rule's condition fails.
pub const CONDITION_FAILING: &str = "exosphere.alerts.condition_failing";
/// An endpoint is left alone, and is sent to again.
pub const CIRCUIT_OPENED: &str = "exosphere.alerts.circuit_opened";
/// See [`CIRCUIT_OPENED`].
pub const CIRCUIT_CLOSED: &str = "exosphere.alerts.circuit_closed";
/// An endpoint has been left alone for an hour.
pub const ENDPOINT_FAILING: &str = "exosphere.alerts.endpoint_failing";
/// Deliveries have become dead letters.
pub const DEAD_LETTERS: &str = "exosphere.alerts.dead_letters";
/// A plugin is left alone; for operators.
pub const PLUGIN_RESTING: &str = "exosphere.alerts.plugin_resting";

/// Whether an event is about the host's own trouble. Trouble with delivering such an event
/// makes none, or it would never end.
pub fn is_own(event_type: &str) -> bool {
    event_type.starts_with(PREFIX)
}

/// An event about the host's own trouble.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnEvent {
    /// Where it is told.
    pub namespace: TenantId,
    /// One of those above.
    pub event_type: &'static str,
    /// What the trouble is with, such as `endpoint/wh_…`.
    pub subject: String,
    /// Tells it from others about the subject: a host that has seen the same gives the same.
    pub occasion: String,
    /// When it was seen.
    pub at: Timestamp,
    /// What is known of it.
    pub data: Value,
}

impl OwnEvent {
    /// The CloudEvent.
    pub fn json(&self) -> Value {
        let Self { namespace, event_type, subject, occasion, at, data } = self;
        let what = event_type.strip_prefix(PREFIX).unwrap_or(event_type);
        json!({
            "specversion": "1.0",
            "id": format!("{subject}/{what}/{occasion}"),
            "source": format!("/v0/namespace/{namespace}"),
            "type": event_type,
            "subject": subject,
            "time": at,
            "namespace": namespace,
            "data": data,
        })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::event::Event;

    #[test]
    fn an_own_event_is_one_that_could_be_posted() {
        let event = OwnEvent {
            namespace: TenantId::new("payments").unwrap(),
            event_type: CIRCUIT_OPENED,
            subject: "endpoint/wh_1".into(),
            occasion: "7".into(),
            at: Timestamp::UNIX_EPOCH,
            data: json!({"since": Timestamp::UNIX_EPOCH}),
        };
        let read = Event::from_structured(Bytes::from(event.json().to_string())).unwrap();
        assert_eq!(
            (read.id.as_str(), read.event_type.as_str()),
            ("endpoint/wh_1/circuit_opened/7", CIRCUIT_OPENED)
        );
        assert!(is_own(&read.event_type) && !is_own("workflow.failed"));
    }
}
