//! Events that are stored, read again.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::cloud_event::Event;
use super::time::told;
use super::{attributes, content};
use crate::tenant::TenantId;

impl Event {
    /// Reads an event that is stored. Its checks are behind it, and they were others
    /// where an older release let it in. None when it does not read at all.
    pub fn from_stored(body: Bytes) -> Option<Self> {
        let mut attributes = attributes::read_stored(&body)?;
        let time = time_of(&attributes);
        let shown = content::shown(&attributes, time, &body);
        let mut text = |name: &str| match attributes.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        Some(Self {
            id: text("id")?,
            source: text("source")?,
            event_type: text("type")?,
            subject: text("subject"),
            time,
            namespace: text("namespace").and_then(|name| TenantId::new(&name).ok()),
            body,
            shown,
        })
    }

    /// [`Self::shown`] of an event that is stored.
    pub fn shown_of_stored(body: &Bytes) -> Bytes {
        let shown = attributes::read_stored(body)
            .and_then(|attributes| content::shown(&attributes, time_of(&attributes), body));
        shown.unwrap_or_else(|| body.clone())
    }
}

fn time_of(attributes: &Map<String, Value>) -> Option<Timestamp> {
    attributes.get("time").and_then(Value::as_str).and_then(told)
}

#[cfg(test)]
mod tests {
    use super::*;

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
