//! Events: CloudEvents 1.0 as posted, checked once at the door.
//!
//! The bytes are kept as they came; only what the host itself needs is read
//! out. Unknown extension attributes are kept, as the specification asks.

mod attributes;
mod pattern;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use self::attributes::Attributes;
pub use self::pattern::EventTypePattern;
use crate::problem::FieldError;
use crate::tenant::TenantId;

/// Largest event, in bytes of JSON: four times what CloudEvents asks every
/// intermediary to carry (64 KiB), small enough to hold thousands in memory.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Most events in one batch: what one group commit takes without a long tail.
pub const MAX_BATCH_EVENTS: usize = 1000;
/// Longest `id`, `source`, `type` or `subject`, in bytes: they are index keys.
const MAX_ATTRIBUTE_BYTES: usize = 512;

/// How far an emitter's clock may be ahead of the host's.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(1);

/// A checked CloudEvent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The emitter's id; unique within `source` and tenant.
    pub id: String,
    /// Where it happened, for example `/v0/namespace/payments`.
    pub source: String,
    /// For example `workflow.failed`.
    pub event_type: String,
    /// For example `graph/{graph_name}/run/{run_id}`.
    pub subject: Option<String>,
    /// When it happened, if the emitter said so.
    pub time: Option<Timestamp>,
    /// The tenant that the event itself names.
    pub namespace: Option<TenantId>,
    /// The whole event as a JSON object, as posted.
    pub body: Bytes,
}

impl Event {
    /// Reads one event in structured mode: a JSON object.
    pub fn from_structured(body: Bytes) -> Result<Self, Vec<FieldError>> {
        match serde_json::from_slice(&body) {
            Ok(Attributes(attributes)) => Self::check(&attributes, body),
            Err(error) if error.is_data() => {
                Err(vec![FieldError::new("", "an event is a JSON object")])
            }
            Err(error) => Err(vec![FieldError::new("", format!("malformed JSON: {error}"))]),
        }
    }

    /// Assembles an event from binary mode: attributes from `ce-` headers (names
    /// without the prefix) and the body as `data`, which may be empty.
    pub fn from_binary(
        attributes: impl IntoIterator<Item = (String, String)>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, Vec<FieldError>> {
        let mut event: Map<String, Value> =
            attributes.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        if let Some(content_type) = content_type {
            event.insert("datacontenttype".into(), content_type.into());
        }
        if !body.is_empty() {
            let data = serde_json::from_slice(body).map_err(|error| {
                vec![FieldError::new("/data", format!("the body is not JSON: {error}"))]
            })?;
            event.insert("data".into(), data);
        }
        let body = Bytes::from(Value::Object(event.clone()).to_string());
        Self::check(&event, body)
    }

    /// Its `data`; null when it has none.
    pub fn data(&self) -> Value {
        #[derive(serde::Deserialize)]
        struct Data {
            #[serde(default)]
            data: Value,
        }
        serde_json::from_slice::<Data>(&self.body).map(|event| event.data).unwrap_or_default()
    }

    /// When it happened, for all that is counted or waited for: by its own `time`,
    /// but never later than it came in. A clock that is ahead must not hide what
    /// other emitters tell meanwhile.
    pub fn happened_at(&self, received_at: Timestamp) -> Timestamp {
        as_stored(self.time.map_or(received_at, |time| time.min(received_at)))
    }

    /// When it happened by its emitter's own clock: in which order the events of
    /// one run happened, since one clock orders them rightly also where it is
    /// wrong. Held to an hour ahead, so that a wrong clock does not outlast its
    /// mending.
    pub fn claimed_at(&self, received_at: Timestamp) -> Timestamp {
        let latest = received_at.saturating_add(MAX_CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        as_stored(self.time.map_or(received_at, |time| time.min(latest)))
    }

    fn check(attributes: &Map<String, Value>, body: Bytes) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader { attributes, problems: Vec::new() };
        match attributes.get("specversion") {
            Some(Value::String(version)) if version == "1.0" => {}
            Some(other) => reader.refuse("specversion", format!("must be \"1.0\", not {other}")),
            None => reader.refuse("specversion", "is required: add \"specversion\": \"1.0\""),
        }
        let id = reader.required("id");
        let source = reader.required("source");
        let event_type = reader.required("type");
        let subject = reader.optional("subject");
        let time = reader.time();
        let namespace = reader.namespace();
        reader.extensions();
        if !reader.problems.is_empty() {
            return Err(reader.problems);
        }
        Ok(Self { id, source, event_type, subject, time, namespace, body })
    }
}

/// No finer than what is stored, or a time read back would be another one.
fn as_stored(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// Takes attributes out one by one and collects what is wrong with them.
struct Reader<'a> {
    attributes: &'a Map<String, Value>,
    problems: Vec<FieldError>,
}

impl Reader<'_> {
    fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.problems.push(FieldError::new(pointer, format!("`{name}` {}", detail.into())));
    }

    fn optional(&mut self, name: &str) -> Option<String> {
        match self.attributes.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => {
                self.refuse(name, "must not be empty");
                None
            }
            Some(Value::String(text)) if text.len() > MAX_ATTRIBUTE_BYTES => {
                self.refuse(name, format!("must be at most {MAX_ATTRIBUTE_BYTES} bytes long"));
                None
            }
            Some(Value::String(text)) if text.contains('\0') => {
                self.refuse(name, "must not hold a NUL character");
                None
            }
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.refuse(name, "must be a string");
                None
            }
        }
    }

    fn required(&mut self, name: &str) -> String {
        if matches!(self.attributes.get(name), None | Some(Value::Null)) {
            self.refuse(name, "is required");
        }
        self.optional(name).unwrap_or_default()
    }

    fn time(&mut self) -> Option<Timestamp> {
        let text = self.optional("time")?;
        // `Timestamp` parses only with an offset, which is what we want; RFC
        // 3339 is stricter than that on the separator.
        match text.parse::<Timestamp>() {
            Ok(time) if text.as_bytes().get(10).is_some_and(|b| b"Tt".contains(b)) => Some(time),
            _ => {
                self.refuse(
                    "time",
                    "must be RFC 3339 with `Z` or an offset, like 2026-01-31T12:00:00Z; a local \
                     time without an offset is ambiguous",
                );
                None
            }
        }
    }

    fn namespace(&mut self) -> Option<TenantId> {
        let name = self.optional("namespace")?;
        match TenantId::new(&name) {
            Ok(tenant) => Some(tenant),
            Err(error) => {
                self.problems.push(error.under("/namespace"));
                None
            }
        }
    }

    /// Attribute names are lower-case letters and digits, values are scalars
    /// (CloudEvents 1.0, 3.1 and JSON format 2.2).
    fn extensions(&mut self) {
        let attributes = self.attributes;
        if attributes.contains_key("data") && attributes.contains_key("data_base64") {
            self.refuse("data_base64", "and `data` exclude each other: send one of them");
        }
        for (name, value) in attributes {
            if name == "data" || name == "data_base64" {
                continue;
            }
            let known = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            if name.is_empty() || !known {
                self.refuse(
                    name,
                    "is not a CloudEvents attribute name: use lower-case letters and digits, and \
                     put other fields under `data`",
                );
            } else if value.is_object() || value.is_array() {
                self.refuse(name, "must be a string, number or boolean; put it under `data`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(json: &str) -> Vec<String> {
        let read = Event::from_structured(Bytes::copy_from_slice(json.as_bytes()));
        read.expect_err("refused").into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn an_event_is_kept_byte_for_byte() {
        let json = r#"{ "specversion":"1.0","id":"1","source":"/a","type":"t","traceid":"x",
            "time":"2026-01-01T10:00:00+02:00","namespace":"n","data":{"x":1.0} }"#;
        let event = Event::from_structured(Bytes::from_static(json.as_bytes())).unwrap();
        assert_eq!(event.body, json.as_bytes());
        assert_eq!(event.time.unwrap().to_string(), "2026-01-01T08:00:00Z");
        assert_eq!(event.namespace.unwrap().as_str(), "n");
    }

    #[test]
    fn every_missing_attribute_is_named_at_once() {
        assert_eq!(pointers("{}"), ["/specversion", "/id", "/source", "/type"]);
    }

    #[test]
    fn a_time_without_an_offset_is_refused_by_name() {
        for time in ["2026-01-01T10:00:00", "2026-01-01", "2026-01-01 10:00:00Z", "now"] {
            let json = format!(
                r#"{{"specversion":"1.0","id":"1","source":"/a","type":"t","time":"{time}"}}"#
            );
            assert_eq!(pointers(&json), ["/time"], "{time}");
        }
    }

    #[test]
    fn nothing_happened_after_it_came_in_and_a_clock_ahead_still_orders_its_own_events() {
        let event = |time: &str| {
            let json = format!(
                r#"{{"specversion":"1.0","id":"1","source":"/a","type":"t","time":"{time}"}}"#
            );
            Event::from_structured(Bytes::from(json)).unwrap()
        };
        let received_at: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let time = |minutes: i64| received_at + SignedDuration::from_mins(minutes);
        for (minutes, happened, claimed) in [(-5, -5, -5), (59, 0, 59), (600, 0, 60)] {
            let event = event(&time(minutes).to_string());
            assert_eq!(event.happened_at(received_at), time(happened), "{minutes}");
            assert_eq!(event.claimed_at(received_at), time(claimed), "{minutes}");
        }
    }

    #[test]
    fn unknown_attributes_must_be_named_as_the_specification_says() {
        let json =
            r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","Graph_Name":"g","x":{}}"#;
        assert_eq!(pointers(json), ["/Graph_Name", "/x"]);
    }

    #[test]
    fn binary_mode_gives_the_same_event() {
        let attributes = [("specversion", "1.0"), ("id", "1"), ("source", "/a"), ("type", "t")];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let event =
            Event::from_binary(attributes, Some("application/json"), br#"{"x":1}"#).unwrap();
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        assert_eq!(body["data"]["x"], 1);
        assert_eq!(body["type"], "t");
    }

    #[test]
    fn an_attribute_that_cannot_be_kept_is_refused_by_name() {
        let with = |name: &str, value: Value| {
            let mut event = serde_json::json!({"specversion": "1.0", "id": "1", "source": "/a",
                "type": "t"});
            event[name] = value;
            pointers(&event.to_string())
        };
        let long = "x".repeat(MAX_ATTRIBUTE_BYTES + 1);
        for value in ["", "a\0b", long.as_str()] {
            assert_eq!(with("subject", value.into()), ["/subject"], "{value:?}");
        }
        assert_eq!(with("subject", 7.into()), ["/subject"]);
        assert_eq!(with("namespace", "*".into()), ["/namespace"]);
    }

    #[test]
    fn data_is_told_once() {
        let json = r#"{"specversion":"1.0","id":"1","source":"/a","type":"t",
            "data":{},"data_base64":"e30="}"#;
        assert_eq!(pointers(json), ["/data_base64"]);
    }

    #[test]
    fn in_binary_mode_the_body_must_be_json() {
        let attributes = [("specversion", "1.0"), ("id", "1"), ("source", "/a"), ("type", "t")];
        let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let read = Event::from_binary(attributes, Some("text/plain"), b"not json");
        assert_eq!(read.unwrap_err()[0].pointer, "/data");
    }
}
