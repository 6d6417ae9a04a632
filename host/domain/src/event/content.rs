//! The content of an event, in whichever of its forms it was sent: as JSON in `data`,
//! or as Base64 in `data_base64`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::json;
use crate::problem::FieldError;

const BASE64: &str = "data_base64";
const TYPE: &str = "datacontenttype";

/// Whether a media type is that of JSON (CloudEvents JSON format 1.0.2, 3.1).
pub(super) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let subtype = essence.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    subtype == "json" || subtype.ends_with("+json")
}

/// What is in `data_base64`, if there is anything.
///
/// # Errors
/// It is not Base64; or not JSON, though the event says so.
pub(super) fn check(attributes: &Map<String, Value>) -> Result<(), FieldError> {
    let refuse =
        |detail: String| FieldError::new(format!("/{BASE64}"), format!("`{BASE64}` {detail}"));
    let text = match attributes.get(BASE64) {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(refuse("must be a string of Base64".to_owned())),
    };
    let bytes = STANDARD.decode(text).map_err(|_| {
        refuse("must be Base64 as in RFC 4648, section 4, with its padding".to_owned())
    })?;
    match attributes.get(TYPE).and_then(Value::as_str) {
        Some(media_type) if is_json(media_type) => json::check(&bytes)
            .map_err(|error| refuse(format!("holds what `{TYPE}` calls JSON, and in it: {error}"))),
        _ => Ok(()),
    }
}

/// The JSON that is written as Base64; none where it is something else. An event that
/// names no type of its content has JSON in it (CloudEvents JSON format 1.0.2, 3.1),
/// unless that does not read.
pub(crate) fn json_in(base64: &str, media_type: Option<&str>) -> Option<Box<RawValue>> {
    if !media_type.is_none_or(is_json) {
        return None;
    }
    let bytes = STANDARD.decode(base64).ok()?;
    json::check(&bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The event as conditions, runs and alerts are shown it, where that differs from how
/// it was sent: JSON that came as Base64 is in `data`, and a time that was never set
/// is not there. `time` is what the event tells of it.
pub(super) fn shown(
    attributes: &Map<String, Value>,
    time: Option<Timestamp>,
    body: &[u8],
) -> Option<Bytes> {
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    let data = text(BASE64).and_then(|base64| json_in(base64, text(TYPE)));
    let is_unset = time.is_none() && text("time").is_some();
    if data.is_none() && !is_unset {
        return None;
    }
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
    if let Some(data) = &data {
        members.remove(BASE64);
        members.insert("data".to_owned(), data);
    }
    if is_unset {
        members.remove("time");
    }
    serde_json::to_vec(&members).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attributes(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_media_types_of_json_are_known() {
        for json in ["application/json", "Application/JSON; charset=utf-8", "text/json", "a/b+json"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in ["text/plain", "application/xml", "application/jsonl", "json+xml", ""] {
            assert!(!is_json(other), "{other}");
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for wrong in
            [json!("%%%"), json!(5), json!({}), json!("YQ"), json!("YQ==\n"), json!("_-8=")]
        {
            let error = check(&attributes(json!({BASE64: wrong}))).unwrap_err();
            assert_eq!(error.pointer, "/data_base64");
        }
        for right in [json!(null), json!(""), json!("YQ=="), json!("+/8=")] {
            check(&attributes(json!({BASE64: right}))).unwrap();
        }
    }

    #[test]
    fn what_is_called_json_must_be_json() {
        let of = |bytes: &[u8], media_type: &str| {
            check(&attributes(json!({BASE64: STANDARD.encode(bytes), TYPE: media_type})))
        };
        of(b"{\"a\":1}", "application/json").unwrap();
        of(b"{\"a\":1,\"a\":2}", "application/octet-stream").unwrap();
        let repeated = of(b"{\"a\":1,\"a\":2}", "application/json").unwrap_err();
        assert!(repeated.detail.contains("`/a` is there twice"), "{}", repeated.detail);
        assert!(of(b"\xff", "application/json").is_err());
    }

    #[test]
    fn json_that_came_as_base64_is_shown_with_all_its_digits() {
        let data = STANDARD.encode(br#"{"n":12345678901234567890123,"z":-0}"#);
        let body = json!({"id": "1", BASE64: data, TYPE: "application/json"}).to_string();
        let shown = shown(&serde_json::from_str(&body).unwrap(), None, body.as_bytes()).unwrap();
        let shown = std::str::from_utf8(&shown).unwrap();
        assert!(shown.contains(r#""data":{"n":12345678901234567890123,"z":-0}"#), "{shown}");
        assert!(!shown.contains(BASE64), "{shown}");
    }

    #[test]
    fn what_is_no_json_is_shown_as_it_came() {
        for event in [
            json!({BASE64: "YQ==", TYPE: "text/plain"}),
            json!({BASE64: "/w=="}),
            json!({"data": {"a": 1}, "time": "1970-01-01T00:00:00Z"}),
        ] {
            let time = event.get("time").map(|_| Timestamp::UNIX_EPOCH);
            assert_eq!(shown(&attributes(event.clone()), time, event.to_string().as_bytes()), None);
        }
    }

    #[test]
    fn a_time_that_was_never_set_is_not_shown() {
        let body = r#"{"time":"0001-01-01T00:00:00Z","id":"1"}"#;
        let shown = shown(&serde_json::from_str(body).unwrap(), None, body.as_bytes()).unwrap();
        assert_eq!(shown, r#"{"id":"1"}"#);
    }
}
