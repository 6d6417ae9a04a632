//! The alert that is sent: `docs/schemas/alert.v1.json`.
//!
//! Built from a delivery and its event, never stored: the same inputs give the
//! same bytes, so every attempt of a delivery sends the same body.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::delivery::Delivery;
use crate::event::{json_in, told};
use crate::id::{DeliveryId, RuleId};
use crate::run_url::{LinkTemplate, RunNames};

/// Version of the payload schema.
pub const VERSION: &str = "1";

/// The payload. Only fields that are known are there.
#[derive(Debug, Serialize)]
struct Alert<'a> {
    version: &'static str,
    id: DeliveryId,
    #[serde(rename = "type")]
    event_type: &'a str,
    occurred_at: Timestamp,
    namespace: &'a str,
    rule: Rule<'a>,
    trigger: &'a serde_json::Value,
    workflow: Workflow<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_url: Option<String>,
    event: EventReference<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

#[derive(Debug, Serialize)]
struct Rule<'a> {
    id: Option<RuleId>,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct EventReference<'a> {
    id: &'a str,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
}

/// What we read of the event. Raw error text of user code is not among it, so
/// it can leave only where the endpoint asked for all of `data`.
#[derive(Deserialize)]
struct Source<'a> {
    id: std::borrow::Cow<'a, str>,
    source: std::borrow::Cow<'a, str>,
    #[serde(rename = "type")]
    event_type: std::borrow::Cow<'a, str>,
    subject: Option<std::borrow::Cow<'a, str>>,
    time: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    // Strings, but for what older releases let in.
    #[serde(borrow)]
    datacontenttype: Option<&'a RawValue>,
    #[serde(borrow)]
    data_base64: Option<&'a RawValue>,
}

impl Source<'_> {
    /// The data, where it is JSON that came as Base64.
    fn decoded(&self) -> Option<Box<RawValue>> {
        let string = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).ok();
        let base64 = self.data_base64.filter(|_| self.data.is_none()).and_then(string)?;
        json_in(&base64, self.datacontenttype.and_then(string).as_deref())
    }
}

macro_rules! workflow {
    ($($field:ident),*) => {
        /// The run's ids and figures, as the event gave them.
        #[derive(Debug, Default, Deserialize, Serialize)]
        #[serde(default)]
        struct Workflow<'a> {
            $(
                #[serde(borrow, skip_serializing_if = "Option::is_none", deserialize_with = "scalar")]
                $field: Option<&'a RawValue>,
            )*
        }
    };
}

workflow!(
    graph_name,
    run_id,
    status,
    created_at,
    finished_at,
    duration_ms,
    success_count,
    pending_count,
    errored_count,
    retried_count,
    total_count,
    failed_state_id,
    node_name,
    identifier
);

/// Longest summary field, in bytes of JSON: an id or a name, never a document.
const MAX_FIELD_BYTES: usize = 512;

/// A field that is a short scalar; anything else is left out, so that nothing
/// large or nested slips through under a known name.
fn scalar<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<&'de RawValue>, D::Error> {
    let raw = <&RawValue>::deserialize(d)?;
    let text = raw.get();
    let compound = text.starts_with(['{', '[']) || text == "null";
    Ok((!compound && text.len() <= MAX_FIELD_BYTES).then_some(raw))
}

/// The alert's bytes. `body` is the event as stored; `received_at` stands in
/// for a time the emitter did not give; `run_link` is the operator's way to a run.
///
/// # Errors
/// When `body` is not the JSON object that intake let in.
pub fn build(
    delivery: &Delivery,
    body: &[u8],
    received_at: Timestamp,
    include_event_data: bool,
    run_link: Option<&LinkTemplate>,
) -> Result<Bytes, serde_json::Error> {
    let event: Source<'_> = serde_json::from_slice(body)?;
    let decoded = event.decoded();
    let data = event.data.or(decoded.as_deref());
    // `data` may be anything; only an object has workflow fields in it.
    let workflow = data
        .filter(|data| data.get().starts_with('{'))
        .and_then(|data| serde_json::from_str::<Workflow<'_>>(data.get()).ok())
        .unwrap_or_default();
    let names = RunNames {
        namespace: delivery.tenant.as_str(),
        graph_name: workflow.graph_name,
        run_id: workflow.run_id,
        subject: event.subject.as_deref(),
    };
    let run_url = run_link.and_then(|link| link.url_of(names));
    let alert = Alert {
        version: VERSION,
        id: delivery.id,
        event_type: &event.event_type,
        occurred_at: event.time.as_deref().and_then(told).unwrap_or(received_at),
        namespace: delivery.tenant.as_str(),
        rule: Rule { id: delivery.alert_rule_id, name: &delivery.rule_name },
        trigger: &delivery.trigger,
        workflow,
        run_url,
        event: EventReference {
            id: &event.id,
            source: &event.source,
            subject: event.subject.as_deref(),
        },
        data: data.filter(|_| include_event_data),
    };
    serde_json::to_vec(&alert).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::delivery::DeliveryStatus;
    use crate::id::{EndpointId, EventId};
    use crate::tenant::TenantId;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn alert(data: Value, include_event_data: bool) -> Value {
        let event = json!({"specversion": "1.0", "id": "e\"1", "source": "/s",
            "type": "workflow.failed", "data": data});
        serde_json::from_str(&alert_of(&event.to_string(), include_event_data)).unwrap()
    }

    fn alert_of(event: &str, include_event_data: bool) -> String {
        let delivery = Delivery {
            id: DeliveryId::new(NOW, 1),
            tenant: TenantId::new("payments").unwrap(),
            event_id: EventId::new(NOW, 1),
            alert_rule_id: Some(RuleId::new(NOW, 1)),
            rule_name: "on failure".into(),
            trigger: json!({"type": "event"}),
            webhook_endpoint_id: EndpointId::new(NOW, 1),
            status: DeliveryStatus::Leased,
            attempt_count: 0,
            next_attempt_at: None,
            last_error: None,
            redrive_of: None,
            created_at: NOW,
            finished_at: None,
        };
        let bytes = build(&delivery, event.as_bytes(), NOW, include_event_data, None).unwrap();
        String::from_utf8(bytes.into()).unwrap()
    }

    #[test]
    fn error_text_of_user_code_leaves_only_when_asked_for() {
        let data = json!({"graph_name": "etl", "error": "password=hunter2", "errored_count": 1});
        let without = alert(data.clone(), false);
        assert_eq!(without["workflow"], json!({"graph_name": "etl", "errored_count": 1}));
        assert!(!without.to_string().contains("hunter2"));
        assert_eq!(alert(data.clone(), true)["data"], data);
    }

    #[test]
    fn a_summary_field_of_the_wrong_shape_is_left_out() {
        let data = json!({"graph_name": {"a": 1}, "run_id": "x".repeat(600), "status": null});
        assert_eq!(alert(data, false)["workflow"], json!({}));
    }

    #[test]
    fn all_figures_of_a_run_are_told_in_their_own_digits() {
        let alert = alert_of(
            r#"{"id":"1","source":"/s","type":"t","data":{"run_id":12345678901234567890123,
            "pending_count":1,"retried_count":-0,"identifier":"load","total_count":1.50}}"#,
            false,
        );
        let workflow = r#""workflow":{"run_id":12345678901234567890123,"pending_count":1,"retried_count":-0,"total_count":1.50,"identifier":"load"}"#;
        assert!(alert.contains(workflow), "{alert}");
    }

    #[test]
    fn json_in_base64_is_told_like_any_other() {
        // {"run_id":"r1"}
        let event = r#"{"id":"1","source":"/s","type":"t","data_base64":"eyJydW5faWQiOiJyMSJ9"}"#;
        let alert: Value = serde_json::from_str(&alert_of(event, true)).unwrap();
        assert_eq!(alert["workflow"], json!({"run_id": "r1"}));
        assert_eq!(alert["data"], json!({"run_id": "r1"}));
        for opaque in [
            r#"{"id":"1","source":"/s","type":"t","data_base64":"/w=="}"#,
            r#"{"id":"1","source":"/s","type":"t","data_base64":"e30=","datacontenttype":"a/b"}"#,
            r#"{"id":"1","source":"/s","type":"t","data_base64":5,"datacontenttype":7}"#,
        ] {
            let alert: Value = serde_json::from_str(&alert_of(opaque, true)).unwrap();
            assert_eq!(alert.get("data"), None, "{opaque}");
        }
    }

    #[test]
    fn an_event_whose_time_was_never_set_occurred_when_it_came_in() {
        let event = r#"{"id":"1","source":"/s","type":"t","time":"0001-01-01T00:00:00Z"}"#;
        let alert: Value = serde_json::from_str(&alert_of(event, false)).unwrap();
        assert_eq!(alert["occurred_at"], json!(NOW));
    }

    #[test]
    fn any_data_at_all_makes_an_alert() {
        for data in [json!(null), json!("text"), json!([1, 2]), json!(7)] {
            let alert = alert(data, false);
            assert_eq!(alert["workflow"], json!({}));
            assert_eq!(alert["event"]["id"], "e\"1");
        }
    }
}
