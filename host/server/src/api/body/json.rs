//! JSON from bytes, with errors that point to the field and repeat nothing of it.

use alerts_domain::json::{JsonError, JsonFault, check, without_byte_order_mark};
use alerts_domain::problem::{FieldError, pointer_to};
use alerts_domain::text::{is_storable, storable};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_path_to_error::{Path, Segment};

use crate::api::plain::plain;
use crate::api::problem::{Kind, Problem};

/// The body without a byte order mark, if it is a JSON object that can be taken and
/// kept: no member is there twice, and no text has a character that cannot be stored.
pub(super) fn require_object(json: &Bytes) -> Result<Bytes, Problem> {
    let json = json.slice_ref(without_byte_order_mark(json));
    check(&json).map_err(problem)?;
    // Serde would take a list for an object, field by field in order.
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::field("", "the body must be a JSON object"));
    }
    require_storable(&json)?;
    Ok(json)
}

/// The items of a body that is a list, each as it was sent.
pub(crate) fn items(json: &[u8]) -> Result<Vec<&RawValue>, Problem> {
    // The quick way first: it does not look into strings, nor remember where it is.
    serde_json::from_slice(json).map_err(|error| match check(json) {
        Err(error) => problem(error),
        Ok(()) if error.is_data() => Problem::field("", "the body must be a JSON list"),
        Ok(()) => malformed(&error),
    })
}

/// What is told of a text that cannot be taken.
fn problem(error: JsonError) -> Problem {
    let JsonError { pointer, fault } = error;
    match fault {
        JsonFault::Repeated => Problem::field(pointer, fault.to_string()),
        JsonFault::Malformed { .. } => {
            let problem = Problem::new(Kind::MalformedJson, format!("the body {fault}"));
            if pointer.is_empty() { problem } else { problem.at(&pointer) }
        }
    }
}

/// U+0000 is a character of JSON, and of no text that Postgres can hold. Refused for
/// whatever it is part of, a field's name included.
fn require_storable(json: &[u8]) -> Result<(), Problem> {
    // As itself it is not JSON; as an escape it has one form, and stands in no request
    // that means well, so that nearly none is read twice.
    const ESCAPED: &[u8] = b"\\u0000";
    if !json.windows(ESCAPED.len()).any(|bytes| bytes == ESCAPED) {
        return Ok(());
    }
    // What is not JSON is told by the reader.
    let Ok(value) = serde_json::from_slice::<Value>(json) else { return Ok(()) };
    match unstorable(&value) {
        Some(pointer) => {
            let detail = "holds the character U+0000, which cannot be stored; leave it out";
            Err(Problem::field(pointer, detail))
        }
        None => Ok(()),
    }
}

/// The pointer to the first text that cannot be stored.
fn unstorable(value: &Value) -> Option<String> {
    let under =
        |name: String, value: &Value| unstorable(value).map(|pointer| pointer_to(&name) + &pointer);
    match value {
        Value::String(text) => (!is_storable(text)).then(String::new),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| under(index.to_string(), item))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, field)| match is_storable(name) {
            true => under(name.clone(), field),
            false => Some(pointer_to(&storable(name))),
        }),
        _ => None,
    }
}

/// Reads JSON; an error says where and what.
pub(crate) fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().clone();
        let inner = error.into_inner();
        match inner.classify() {
            Category::Data => Problem::invalid(vec![field_error(&path, &inner)]),
            _ => malformed(&inner),
        }
    })?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    let what = message(error);
    Problem::new(Kind::MalformedJson, format!("the body is not JSON: {what} at {place}"))
}

/// Serde's message without its place at the end, and without the value that it is
/// about, which may be a secret.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    plain(match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    })
}

fn field_error(path: &Path, error: &serde_json::Error) -> FieldError {
    let detail = message(error);
    let mut pointer = pointer(path);
    // Serde tells of these at the object around them, by name.
    for about in ["missing field `", "unknown field `", "duplicate field `"] {
        let name = detail.strip_prefix(about).and_then(|rest| rest.split('`').next());
        if let Some(name) = name {
            let last = pointer_to(name);
            if about.starts_with("missing") || !pointer.ends_with(&last) {
                pointer.push_str(&last);
            }
        }
    }
    FieldError::new(pointer, detail)
}

/// A path as a JSON pointer (RFC 6901).
pub(crate) fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&pointer_to(key)),
            // The variant of an enum is no place in the document.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        name: String,
        inner: Option<Inner>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        count: u32,
    }

    fn pointer_of(json: &str) -> String {
        let problem = parse::<Outer>(json.as_bytes()).unwrap_err();
        assert_eq!(problem.kind(), Kind::InvalidRequest, "{problem:?}");
        problem.errors()[0].pointer.clone()
    }

    #[test]
    fn every_wrong_field_is_pointed_to() {
        assert_eq!(pointer_of(r#"{}"#), "/name");
        assert_eq!(pointer_of(r#"{"name": 1}"#), "/name");
        assert_eq!(pointer_of(r#"{"name": "a", "nmae": 1}"#), "/nmae");
        assert_eq!(pointer_of(r#"{"name": "a", "inner": {}}"#), "/inner/count");
        assert_eq!(pointer_of(r#"{"name": "a", "inner": {"count": -1}}"#), "/inner/count");
        assert_eq!(pointer_of(r#"{"name": "a", "inner": {"count": 1, "x": 1}}"#), "/inner/x");
        assert_eq!(pointer_of(r#"{"name": "a", "name": "b"}"#), "/name");
        assert_eq!(pointer_of(r#"{"name": "a", "headers": {"a/b": 1}}"#), "/headers/a~1b");
    }

    #[test]
    fn only_an_object_is_a_body() {
        for json in ["[]", "null", " \"x\" ", "[\"a\", null, {}]"] {
            let problem = require_object(&Bytes::from_static(json.as_bytes())).unwrap_err();
            assert_eq!(problem.detail(), "the body must be a JSON object", "{json}");
        }
        let marked = require_object(&Bytes::from_static(b"\xef\xbb\xbf {}")).unwrap();
        assert_eq!(marked, &b" {}"[..]);
    }

    #[test]
    fn a_member_that_is_there_twice_is_pointed_to_however_deep_it_is() {
        let json = r#"{"settings": {"a": [{"b/c": 1, "b/c": 2}]}}"#;
        let problem = require_object(&Bytes::from_static(json.as_bytes())).unwrap_err();
        assert_eq!(problem.kind(), Kind::InvalidRequest);
        assert_eq!(problem.errors()[0].pointer, "/settings/a/0/b~1c");
    }

    #[test]
    fn broken_json_is_told_with_its_place_and_the_value_around_it() {
        let broken = |json: &'static str| {
            let problem = require_object(&Bytes::from_static(json.as_bytes())).unwrap_err();
            assert_eq!(problem.kind(), Kind::MalformedJson);
            problem
        };
        let problem = broken("{\"a\":\n {\"b\": NaN}}");
        assert!(problem.detail().ends_with("at line 2, column 8"), "{}", problem.detail());
        assert_eq!(problem.errors()[0].pointer, "/a/b");
        assert_eq!(broken("[").errors()[0].pointer, "/0");
        assert_eq!(broken("").errors(), []);
    }

    #[test]
    fn the_items_of_a_list_are_as_they_were_sent() {
        let raw = items(b"[ 1.0, {\"a\" : -0} ]").unwrap();
        assert_eq!(raw.iter().map(|item| item.get()).collect::<Vec<_>>(), ["1.0", "{\"a\" : -0}"]);
        assert_eq!(items(b"{}").unwrap_err().detail(), "the body must be a JSON list");
        let broken = items(b"[{},{\"n\":NaN}]").unwrap_err();
        assert_eq!(broken.errors()[0].pointer, "/1/n");
        assert_eq!(items(b"[{},\"\xff\"]").unwrap_err().errors()[0].pointer, "/1");
    }

    #[test]
    fn malformed_json_is_told_with_its_place() {
        let problem = parse::<Outer>(b"{\n  \"name\": }").unwrap_err();
        assert_eq!(problem.kind(), Kind::MalformedJson);
        assert!(problem.detail().ends_with("at line 2, column 11"), "{}", problem.detail());
        assert_eq!(parse::<Outer>(b"").unwrap_err().kind(), Kind::MalformedJson);
        assert_eq!(parse::<Outer>(b"{\"name\":\"a\"} x").unwrap_err().kind(), Kind::MalformedJson);
    }

    #[test]
    fn a_text_that_cannot_be_stored_is_pointed_to() {
        let pointer = |json: &str| {
            let problem = require_storable(json.as_bytes()).unwrap_err();
            problem.errors()[0].pointer.clone()
        };
        assert_eq!(pointer(r#"{"name": "a\u0000b"}"#), "/name");
        assert_eq!(pointer(r#"{"headers": {"a/b": ["x", "\u0000"]}}"#), "/headers/a~1b/1");
        assert_eq!(pointer(r#"{"a\u0000": 1}"#), "/a\u{fffd}");
        // Six characters, none of which is U+0000.
        assert!(require_storable(br#"{"name": "\\u0000"}"#).is_ok());
        assert!(require_storable(br#"{"name": "a"}"#).is_ok());
    }

    #[test]
    fn an_error_never_repeats_the_value_that_it_is_about() {
        for json in [
            r#"{"name": "a", "inner": "tok-1234"}"#,
            r#"{"name": "a", "headers": "tok-1234, expected `x`, expected a thing"}"#,
            r#"{"name": 1234}"#,
            r#"{"name": "a", "headers": {"x": 1234.5}}"#,
            r#"{"name": "a", "inner": {"count": "tok-1234"}}"#,
        ] {
            let problem = parse::<Outer>(json.as_bytes()).unwrap_err();
            assert!(!problem.detail().contains("1234"), "{}", problem.detail());
            assert!(problem.detail().contains(", expected "), "{}", problem.detail());
        }
    }
}
