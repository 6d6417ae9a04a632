//! Events in structured mode: one JSON object each.

use bytes::Bytes;

use super::cloud_event::Event;
use super::{attributes, webhook};
use crate::json;
use crate::problem::FieldError;

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
        let json =
            "\u{feff}{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"t\"}";
        let event = Event::from_structured(Bytes::from_static(json.as_bytes())).unwrap();
        assert!(event.body.starts_with(b"{"));
    }
}
