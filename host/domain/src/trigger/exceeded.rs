//! The event that the host makes when a run has taken too long.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::run::DURATION_EXCEEDED;
use crate::event::Event;
use crate::id::EventId;
use crate::tenant::TenantId;

/// The fields used of the event that the alert is about.
#[derive(Deserialize)]
struct Original {
    subject: Option<String>,
    data: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Exceeded<'a> {
    specversion: &'static str,
    id: EventId,
    source: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    time: Timestamp,
    namespace: &'a str,
    /// The original's, each value in its own digits.
    data: &'a BTreeMap<String, Box<RawValue>>,
}

/// `original` is the event that the alert is about, as rules see it; `at` is now.
pub(super) fn exceeded(
    id: EventId,
    tenant: &TenantId,
    original: Option<&[u8]>,
    at: Timestamp,
    elapsed_ms: u64,
) -> Event {
    let original = original.and_then(|body| serde_json::from_slice::<Original>(body).ok());
    let (subject, data) = original.map_or((None, None), |told| (told.subject, told.data));
    let mut data: BTreeMap<String, Box<RawValue>> =
        data.and_then(|data| serde_json::from_str(data.get()).ok()).unwrap_or_default();
    data.extend(to_raw_value(&elapsed_ms).ok().map(|ms| ("duration_ms".to_owned(), ms)));
    let source = format!("/v0/namespace/{tenant}");
    let written = serde_json::to_vec(&Exceeded {
        specversion: "1.0",
        id,
        source: &source,
        r#type: DURATION_EXCEEDED,
        subject: subject.as_deref(),
        time: at,
        namespace: tenant.as_str(),
        data: &data,
    });
    Event {
        id: id.to_string(),
        source,
        event_type: DURATION_EXCEEDED.to_owned(),
        subject,
        time: Some(at),
        namespace: Some(tenant.clone()),
        body: Bytes::from(written.unwrap_or_default()),
        shown: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn made(original: Option<&[u8]>) -> Event {
        let tenant = TenantId::new("payments").unwrap();
        let id = EventId::new(Timestamp::UNIX_EPOCH, 1);
        exceeded(id, &tenant, original, Timestamp::UNIX_EPOCH, 1500)
    }

    #[test]
    fn it_is_about_the_same_run() {
        let original = json!({"subject": "graph/etl/run/r", "data": {"graph_name": "etl"}});
        let made = made(Some(original.to_string().as_bytes()));
        let read = Event::from_structured(made.body.clone()).unwrap();
        assert_eq!(read, made);
        let body: Value = serde_json::from_slice(&made.body).unwrap();
        assert_eq!(body["data"], json!({"graph_name": "etl", "duration_ms": 1500}));
    }

    #[test]
    fn the_digits_of_the_original_survive() {
        let original = br#"{"data":{"run_id":12345678901234567890123,"duration_ms":7}}"#;
        let body = made(Some(original)).body;
        let body = std::str::from_utf8(&body).unwrap();
        assert!(body.contains(r#""run_id":12345678901234567890123"#), "{body}");
        assert!(body.contains(r#""duration_ms":1500"#), "{body}");
    }

    #[test]
    fn without_an_original_it_says_what_the_host_knows() {
        for original in [None, Some(&b"{"[..]), Some(&br#"{"data":[1]}"#[..])] {
            let body: Value = serde_json::from_slice(&made(original).body).unwrap();
            assert_eq!(body["data"], json!({"duration_ms": 1500}));
        }
    }
}
