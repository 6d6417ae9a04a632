//! Events: CloudEvents 1.0 as posted, checked once at the door.
//!
//! The bytes are kept as they came; only what the host itself needs is read
//! out. Unknown extension attributes are kept, as the specification asks.

mod attributes;
mod binary;
mod check;
mod content;
mod pattern;
mod time;
mod webhook;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub(crate) use self::content::json_in;
pub use self::pattern::EventTypePattern;
pub use self::time::told;
use crate::json;
use crate::problem::FieldError;
use crate::tenant::TenantId;

/// Largest event, in bytes of JSON: four times what CloudEvents asks every
/// intermediary to carry (64 KiB), small enough to hold thousands in memory.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Most events in one batch: what one group commit takes without a long tail.
pub const MAX_BATCH_EVENTS: usize = 1000;

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
    /// What [`Self::shown`] gives, where that is not the body.
    pub(crate) shown: Option<Bytes>,
}

impl Event {
    /// Reads one event in structured mode: a JSON object, which is a CloudEvent or
    /// what the platform's own webhook sent.
    ///
    /// # Errors
    /// All that is wrong with it, or the first thing that makes it no JSON object.
    pub fn from_structured(body: Bytes) -> Result<Self, Vec<FieldError>> {
        let body = body.slice_ref(json::without_byte_order_mark(&body));
        let attributes = attributes::read(&body).map_err(|error| vec![error])?;
        match webhook::is_one(&attributes) {
            true => Self::from_webhook(&attributes, &body),
            false => Self::check(&attributes, body),
        }
    }

    /// Reads an event that is stored. Its checks are behind it, and they were others
    /// where an older release let it in. None when it does not read at all.
    pub fn from_stored(body: Bytes) -> Option<Self> {
        let mut attributes = attributes::read_stored(&body)?;
        let shown = content::shown(&attributes, &body);
        let mut text = |name: &str| match attributes.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        Some(Self {
            id: text("id")?,
            source: text("source")?,
            event_type: text("type")?,
            subject: text("subject"),
            time: text("time").and_then(|time| told(&time)),
            namespace: text("namespace").and_then(|name| TenantId::new(&name).ok()),
            body,
            shown,
        })
    }

    /// The event as conditions, runs and alerts see it: as posted, but with JSON in
    /// `data` also where it came in `data_base64`, and without a `time` that was
    /// never set.
    pub fn shown(&self) -> Bytes {
        self.shown.as_ref().unwrap_or(&self.body).clone()
    }

    /// [`Self::shown`] of an event that is stored.
    pub fn shown_of_stored(body: &Bytes) -> Bytes {
        let shown = attributes::read_stored(body)
            .and_then(|attributes| content::shown(&attributes, body));
        shown.unwrap_or_else(|| body.clone())
    }

    /// Its `data`; null when it has none.
    pub fn data(&self) -> Value {
        #[derive(serde::Deserialize)]
        struct Data {
            #[serde(default)]
            data: Value,
        }
        serde_json::from_slice::<Data>(&self.shown()).map(|event| event.data).unwrap_or_default()
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
}

/// No finer than what is stored, or a time read back would be another one.
fn as_stored(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_kept_byte_for_byte() {
        let json = r#"{ "specversion":"1.0","id":"1","source":"/a","type":"t","traceid":"x",
            "time":"2026-01-01T10:00:00+02:00","namespace":"n","data":{"x":1.0} }"#;
        let event = Event::from_structured(Bytes::from_static(json.as_bytes())).unwrap();
        assert_eq!(event.body, json.as_bytes());
        assert_eq!(event.shown(), json.as_bytes());
        assert_eq!(event.time.unwrap().to_string(), "2026-01-01T08:00:00Z");
        assert_eq!(event.namespace.as_ref().unwrap().as_str(), "n");
        assert_eq!(Event::from_stored(event.body.clone()), Some(event));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_an_event() {
        let json = "\u{feff}{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"t\"}";
        let event = Event::from_structured(Bytes::from_static(json.as_bytes())).unwrap();
        assert!(event.body.starts_with(b"{"));
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
    fn json_in_base64_is_shown_as_data_and_kept_as_it_came() {
        // {"run_id":"r1"}
        let json = r#"{"specversion":"1.0","id":"1","source":"/a","type":"t",
            "datacontenttype":"application/json","data_base64":"eyJydW5faWQiOiJyMSJ9"}"#;
        let event = Event::from_structured(Bytes::from_static(json.as_bytes())).unwrap();
        assert_eq!(event.body, json.as_bytes());
        assert_eq!(event.data()["run_id"], "r1");
        assert_eq!(Event::shown_of_stored(&event.body), event.shown());
        assert_eq!(Event::from_stored(event.body.clone()), Some(event));
    }

    #[test]
    fn an_event_that_an_older_release_let_in_still_reads() {
        for older in [
            r#"{"specversion":"1.0","id":"1","id":"2","source":"/a","type":"t","data":{"a":1,"a":2}}"#,
            r#"{"specversion":"1.0","id":"2","source":"/a","type":"t","time":"2026-01-31T12:00:00+00"}"#,
            r#"{"specversion":"1.0","id":"2","source":"/a","type":"t","data_base64":"%%%"}"#,
        ] {
            let body = Bytes::from_static(older.as_bytes());
            assert!(Event::from_structured(body.clone()).is_err(), "{older}");
            let event = Event::from_stored(body).unwrap();
            assert_eq!((event.id.as_str(), event.time), ("2", None));
        }
        assert_eq!(Event::from_stored(Bytes::from_static(b"{")), None);
    }
}
