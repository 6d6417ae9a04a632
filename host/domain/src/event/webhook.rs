//! What the platform's own webhook sent when a run failed, read as the CloudEvent that
//! it would be today.
//!
//! It is known by its shape: `event`, `namespace`, `graph_name`, `run_id`,
//! `failed_state_id`, `node_name`, `error` and `timestamp`, side by side. It was sent for
//! failures alone, by hosts whose clocks write UTC without saying so.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::binary::{Content, structured};
use super::cloud_event::Event;
use super::time;
use crate::problem::{FieldError, pointer_to};

/// The type of event that it is.
const FAILED: &str = "workflow.failed";
/// What tells one failure from another, and what it cannot be without.
const REQUIRED: [&str; 6] =
    ["event", "namespace", "graph_name", "run_id", "failed_state_id", "timestamp"];

/// Whether these are the members of such a webhook. No CloudEvent has an underscore in
/// a name but for `data_base64`.
pub(super) fn is_one(members: &Map<String, Value>) -> bool {
    let has = |name: &&str| members.contains_key(*name);
    !has(&"specversion") && ["event", "graph_name", "run_id"].iter().all(has)
}

impl Event {
    /// The CloudEvent of such a webhook. All that was sent is in its `data`.
    pub(super) fn from_webhook(
        members: &Map<String, Value>,
        body: &[u8],
    ) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader { members, problems: Vec::new() };
        let values = REQUIRED.map(|name| reader.text(name));
        let [_, namespace, graph, run, _, timestamp] = &values;
        let at = reader.timestamp(timestamp);
        let data = data(body, &mut reader.problems);
        let (Some(at), Some(data), []) = (at, data, reader.problems.as_slice()) else {
            return Err(reader.problems);
        };
        let attributes = json!({
            "specversion": "1.0",
            "id": id_of(&values),
            "source": format!("/v0/namespace/{namespace}"),
            "type": FAILED,
            "subject": format!("graph/{graph}/run/{run}"),
            "time": at,
            "namespace": namespace,
        });
        let attributes = attributes.as_object().cloned().unwrap_or_default();
        let event = structured(&attributes, Some(Content::Json(data)))?;
        Self::check(&attributes, event)
    }
}

/// The same for the same failure, told however often.
fn id_of(values: &[String]) -> String {
    let mut hash = Sha256::new();
    for value in values {
        // With its length, so that two values do not run into each other.
        hash.update((value.len() as u64).to_be_bytes());
        hash.update(value);
    }
    format!("webhook-{}", hex::encode(&hash.finalize()[..16]))
}

/// All that was sent, with the status of a run that failed.
fn data(body: &[u8], problems: &mut Vec<FieldError>) -> Option<Box<RawValue>> {
    let read = || {
        let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body)?;
        members.entry("status".to_owned()).or_insert(to_raw_value("FAILED")?);
        to_raw_value(&members)
    };
    read()
        .map_err(|error| problems.push(FieldError::new("", format!("does not read: {error}"))))
        .ok()
}

struct Reader<'a> {
    members: &'a Map<String, Value>,
    problems: Vec<FieldError>,
}

impl Reader<'_> {
    fn refuse(&mut self, name: &str, detail: &str) {
        self.problems.push(FieldError::new(pointer_to(name), format!("`{name}` {detail}")));
    }

    /// A text, or a number in its digits.
    fn text(&mut self, name: &str) -> String {
        match self.members.get(name) {
            Some(Value::String(text)) if !text.is_empty() => return text.clone(),
            Some(Value::Number(number)) => return number.to_string(),
            None | Some(Value::Null) => self.refuse(name, "is required"),
            Some(_) => self.refuse(name, "must be a string that is not empty"),
        }
        String::new()
    }

    /// Without an offset it is UTC, here and nowhere else.
    fn timestamp(&mut self, text: &str) -> Option<Timestamp> {
        let at = time::rfc3339_or_utc(text);
        if at.is_none() && !text.is_empty() {
            self.refuse(
                "timestamp",
                "must be like 2026-01-31T12:00:00.123456, which is read as UTC, or RFC 3339 with \
                 an offset",
            );
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn sent() -> Value {
        json!({"event": "GRAPH_FAILED", "namespace": "payments", "graph_name": "nightly-etl",
            "run_id": "run-1", "failed_state_id": "65f1a0c2d4e5f60718293a4b",
            "node_name": "load", "error": "boom", "timestamp": "2025-12-16T07:48:32.123456"})
    }

    fn read(sent: &Value) -> Result<Event, Vec<FieldError>> {
        Event::from_structured(Bytes::from(sent.to_string()))
    }

    #[test]
    fn a_failure_is_known_by_its_shape() {
        let event = read(&sent()).unwrap();
        assert_eq!(event.event_type, FAILED);
        assert_eq!(event.source, "/v0/namespace/payments");
        assert_eq!(event.subject.as_deref(), Some("graph/nightly-etl/run/run-1"));
        assert_eq!(event.time.unwrap().to_string(), "2025-12-16T07:48:32.123456Z");
        assert_eq!(event.namespace.as_ref().unwrap().as_str(), "payments");
        let data = event.data();
        assert_eq!((&data["error"], &data["status"]), (&json!("boom"), &json!("FAILED")));
        assert_eq!(Event::from_structured(event.body.clone()), Ok(event), "it is a CloudEvent");
    }

    #[test]
    fn the_same_failure_has_the_same_id_and_another_another() {
        let id = |sent: &Value| read(sent).unwrap().id;
        let again = sent().to_string().replace("\":", "\" : ");
        let again = Event::from_structured(Bytes::from(again)).unwrap();
        assert_eq!(id(&sent()), again.id);
        for name in ["namespace", "graph_name", "run_id", "failed_state_id"] {
            let mut other = sent();
            other[name] = "another".into();
            assert_ne!(id(&sent()), id(&other), "{name}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_pointed_to() {
        let pointers = |change: &dyn Fn(&mut Map<String, Value>)| {
            let mut sent = sent();
            change(sent.as_object_mut().unwrap());
            let errors = read(&sent).unwrap_err().into_iter();
            errors.map(|error| error.pointer).collect::<Vec<_>>()
        };
        for name in ["namespace", "failed_state_id", "timestamp"] {
            assert_eq!(pointers(&|sent| drop(sent.remove(name))), [format!("/{name}")]);
        }
        let wrong = |name: &'static str, value: Value| {
            pointers(&|sent| drop(sent.insert(name.to_owned(), value.clone())))
        };
        assert_eq!(wrong("timestamp", "16.12.2025".into()), ["/timestamp"]);
        assert_eq!(wrong("namespace", "*".into()), ["/namespace"]);
        assert_eq!(wrong("run_id", json!({})), ["/run_id"]);
        // A CloudEvent with a wrong name in it stays one.
        let cloud = wrong("specversion", "1.0".into());
        assert!(cloud.contains(&"/graph_name".to_owned()), "{cloud:?}");
    }

    #[test]
    fn ids_may_be_numbers_and_keep_their_digits() {
        let mut sent = sent();
        sent["run_id"] = 1090123456789012u64.into();
        let event = read(&sent).unwrap();
        assert_eq!(event.subject.as_deref(), Some("graph/nightly-etl/run/1090123456789012"));
        assert_eq!(event.data()["run_id"], 1090123456789012u64);
    }
}
