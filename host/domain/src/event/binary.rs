//! Events in binary mode: attributes in headers, and the content as the body
//! (CloudEvents HTTP binding 1.0.2, section 3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::cloud_event::Event;
use super::content;
use crate::json::{self, JsonError};
use crate::problem::{FieldError, pointer_to};

/// The event as it is kept: in structured mode, with the body's own digits.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    attributes: &'a Map<String, Value>,
    #[serde(flatten)]
    content: Option<Content<'a>>,
}

/// What an event is about, by what its media type makes of it.
#[derive(Serialize)]
pub(super) enum Content<'a> {
    /// JSON, or a text as a JSON string.
    #[serde(rename = "data")]
    Json(Box<RawValue>),
    #[serde(rename = "data")]
    Text(&'a str),
    /// Base64.
    #[serde(rename = "data_base64")]
    Other(String),
}

impl Event {
    /// Assembles an event from binary mode: attributes from `ce-` headers (names
    /// without the prefix, values decoded) and the body, which may be empty. A body of
    /// JSON becomes `data`, one of text a string in it, any other `data_base64`.
    ///
    /// # Errors
    /// All that is wrong with it, by the pointer that it has in structured mode.
    pub fn from_binary(
        attributes: impl IntoIterator<Item = (String, String)>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, Vec<FieldError>> {
        let content_type = content_type.filter(|media_type| !media_type.trim().is_empty());
        let mut event = Map::new();
        for (name, value) in attributes {
            if matches!(name.as_str(), "data" | "data_base64") {
                let detail = format!("`{name}` is no attribute: send it as the body");
                return Err(vec![FieldError::new(pointer_to(&name), detail)]);
            }
            if event.contains_key(&name) {
                let detail =
                    format!("the header `ce-{name}` is there twice: leave one of them out");
                return Err(vec![FieldError::new(pointer_to(&name), detail)]);
            }
            event.insert(name, Value::String(value));
        }
        if let Some(content_type) = content_type {
            event.insert("datacontenttype".to_owned(), content_type.into());
        }
        let content = Content::of(content_type, body).map_err(|error| vec![error])?;
        Self::check(&event, structured(&event, content)?)
    }
}

/// An event in structured mode.
pub(super) fn structured(
    attributes: &Map<String, Value>,
    content: Option<Content<'_>>,
) -> Result<Bytes, Vec<FieldError>> {
    serde_json::to_vec(&Whole { attributes, content }).map(Bytes::from).map_err(|error| {
        vec![FieldError::new("", format!("the event cannot be written as JSON: {error}"))]
    })
}

impl<'a> Content<'a> {
    fn of(media_type: Option<&str>, body: &'a [u8]) -> Result<Option<Self>, FieldError> {
        if body.is_empty() {
            return Ok(None);
        }
        // An event that names no type of its content has JSON in it.
        if media_type.is_none_or(content::is_json) {
            let body = json::without_byte_order_mark(body);
            json::check(body).map_err(|error| not_json(error, media_type))?;
            let data = serde_json::from_slice(body);
            return data.map(|data| Some(Self::Json(data))).map_err(|error| {
                FieldError::new("/data", format!("the body is not JSON: {error}"))
            });
        }
        let text = media_type.filter(|media| is_utf8_text(media));
        Ok(Some(match text.and_then(|_| std::str::from_utf8(body).ok()) {
            Some(text) => Self::Text(text),
            None => Self::Other(STANDARD.encode(body)),
        }))
    }
}

/// The error for a body that is not JSON, although its media type says so or is absent.
fn not_json(error: JsonError, media_type: Option<&str>) -> FieldError {
    let about = if error.pointer.is_empty() { "the body " } else { "" };
    let advice = match media_type {
        None => "; for data of another type name it in `content-type`",
        Some(_) => "",
    };
    let detail = format!("{about}{}{advice}", error.fault);
    FieldError::new(error.pointer, detail).under("/data")
}

/// Whether a media type is that of a text whose characters can be told: in UTF-8,
/// which is also what is meant where none is named.
fn is_utf8_text(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_text = parts.next().is_some_and(|essence| essence.starts_with("text/"));
    let mut charsets = parts.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim() == "charset").then(|| value.trim().trim_matches('"').to_owned())
    });
    is_text && charsets.all(|charset| matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes() -> Vec<(String, String)> {
        let all = [("specversion", "1.0"), ("id", "1"), ("source", "/a"), ("type", "t")];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn binary(content_type: Option<&str>, body: &[u8]) -> Event {
        Event::from_binary(attributes(), content_type, body).unwrap()
    }

    fn refused(content_type: Option<&str>, body: &[u8]) -> String {
        let errors = Event::from_binary(attributes(), content_type, body).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors[0].pointer.clone()
    }

    fn member(event: &Event, name: &str) -> Option<Value> {
        serde_json::from_slice::<Value>(&event.body).unwrap().get(name).cloned()
    }

    #[test]
    fn it_gives_the_event_that_structured_mode_gives() {
        let event = binary(Some("application/json"), br#"{"x":1}"#);
        let structured = Event::from_structured(event.body.clone()).unwrap();
        assert_eq!(event, structured);
        assert_eq!(member(&event, "data"), Some(serde_json::json!({"x": 1})));
        assert_eq!(member(&event, "type"), Some("t".into()));
        assert_eq!(member(&binary(None, b""), "data"), None);
    }

    #[test]
    fn the_digits_of_a_number_survive() {
        let body = br#" {"n":12345678901234567890123,"z":-0,"f":1.10} "#;
        let event = binary(Some("application/problem+json"), body);
        let kept = std::str::from_utf8(&event.body).unwrap();
        assert!(kept.contains(r#""data":{"n":12345678901234567890123,"z":-0,"f":1.10}"#), "{kept}");
    }

    #[test]
    fn text_is_a_string_whatever_it_looks_like() {
        for media in ["text/plain", "text/csv; header=absent", "Text/HTML; charset=\"UTF-8\""] {
            assert_eq!(member(&binary(Some(media), b"12"), "data"), Some("12".into()), "{media}");
        }
        assert_eq!(member(&binary(Some("text/json"), b"12"), "data"), Some(12.into()));
    }

    #[test]
    fn all_else_is_base64() {
        for (media, body) in [
            ("application/octet-stream", &b"\xff"[..]),
            ("application/xml", b"<a/>"),
            ("text/plain", b"\xff"),
            ("text/plain; charset=utf-16", b"a\0"),
        ] {
            let event = binary(Some(media), body);
            assert_eq!(member(&event, "data_base64"), Some(STANDARD.encode(body).into()));
            assert_eq!(member(&event, "data"), None);
        }
    }

    #[test]
    fn what_is_called_json_must_be_json() {
        assert_eq!(refused(Some("application/json"), b"not json"), "/data");
        assert_eq!(refused(None, b"not json"), "/data");
        assert_eq!(refused(Some("application/json"), br#"{"a":{"b":1,"b":2}}"#), "/data/a/b");
        assert_eq!(refused(Some("application/json"), br#"{"a":[NaN]}"#), "/data/a/0");
        binary(Some("application/json"), b"\xef\xbb\xbf{}");
    }

    #[test]
    fn an_attribute_is_told_once_and_data_in_the_body() {
        for name in ["id", "data", "data_base64"] {
            let more = (name.to_owned(), "x".to_owned());
            let all = attributes().into_iter().chain([more]);
            let errors = Event::from_binary(all, None, b"").unwrap_err();
            assert_eq!(errors[0].pointer, format!("/{name}"));
        }
    }
}
