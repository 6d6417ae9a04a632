//! How a request carries its events: the three modes of the CloudEvents HTTP
//! binding (1.0.2, section 3).

use std::borrow::Cow;

use alerts_domain::problem::FieldError;
use http::{HeaderMap, header};
use percent_encoding::percent_decode;

use crate::api::body::media_type;
use crate::api::problem::{Kind, Problem};

/// Prefix of the headers that hold attributes in binary mode.
const PREFIX: &str = "ce-";

/// Where the attributes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The body is one event.
    Structured,
    /// The body is a list of events.
    Batch,
    /// Attributes are in headers, the body is `data`.
    Binary,
}

impl Mode {
    /// Says which, or what to send instead.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let media = media_type(headers).unwrap_or_default();
        match media.as_str() {
            "application/cloudevents+json" => Ok(Self::Structured),
            "application/cloudevents-batch+json" => Ok(Self::Batch),
            // Another format of events (section 3, "determining the mode"), and no data.
            other if other.starts_with("application/cloudevents") => Err(Problem::new(
                Kind::UnsupportedMediaType,
                format!(
                    "events in the format `{other}` are not read here; send \
                     `application/cloudevents+json`, or `application/cloudevents-batch+json` with \
                     a list"
                ),
            )),
            // Any of them: which one is missing is told by the event's check.
            _ if headers.keys().any(|name| name.as_str().starts_with(PREFIX)) => Ok(Self::Binary),
            "application/json" => Ok(Self::Structured),
            _ => Err(Problem::new(
                Kind::UnsupportedMediaType,
                "send `content-type: application/cloudevents+json` with one event, \
                 `application/cloudevents-batch+json` with a list, or any type of `data` with the \
                 attributes in `ce-` headers",
            )),
        }
    }
}

/// The attributes in the headers, as their emitter meant them.
pub(super) fn attributes(headers: &HeaderMap) -> Result<Vec<(String, String)>, FieldError> {
    let attributes = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(PREFIX)?;
        let wrong = |detail| {
            FieldError::new(format!("/{name}"), format!("the header {PREFIX}{name} {detail}"))
        };
        Some(decoded(value.as_bytes()).map(|value| (name.to_owned(), value)).map_err(wrong))
    });
    attributes.collect()
}

/// A header's value unquoted and unescaped, then percent-decoded, once (section 3.1.3.2).
/// A `%` that is not followed by two digits stands for itself.
fn decoded(value: &[u8]) -> Result<String, &'static str> {
    let unquoted = unquoted(value).ok_or("begins a quoted text that does not end")?;
    let decoded = percent_decode(&unquoted).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| "must be UTF-8, percent-encoded")
}

/// A value without the quotes around parts of it, and without the backslashes that
/// escape something in these (RFC 7230, section 3.2.6). None where a quote does not end.
fn unquoted(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !value.contains(&b'"') {
        return Some(Cow::Borrowed(value));
    }
    let (mut unquoted, mut is_quoted) = (Vec::with_capacity(value.len()), false);
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => unquoted.push(*bytes.next()?),
            byte => unquoted.push(*byte),
        }
    }
    (!is_quoted).then_some(Cow::Owned(unquoted))
}

/// The type of `data` in binary mode.
pub(super) fn data_content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let parsed =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        parsed.collect::<HeaderMap>()
    }

    #[test]
    fn the_content_type_says_where_the_attributes_are() {
        let mode = |media, more: &[(&'static str, &'static str)]| {
            let mut all = headers(more);
            all.insert("content-type", media);
            Mode::of(&all)
        };
        let media = |text: &'static str| http::HeaderValue::from_static(text);
        assert_eq!(
            mode(media("application/cloudevents+json; charset=utf-8"), &[]).unwrap(),
            Mode::Structured
        );
        assert_eq!(
            mode(media("application/cloudevents-batch+json"), &[("ce-id", "1")]).unwrap(),
            Mode::Batch
        );
        assert_eq!(mode(media("application/json"), &[]).unwrap(), Mode::Structured);
        assert_eq!(mode(media("application/json"), &[("ce-id", "1")]).unwrap(), Mode::Binary);
        let refused = mode(media("text/plain"), &[]).unwrap_err();
        assert_eq!(refused.kind(), Kind::UnsupportedMediaType);
    }

    #[test]
    fn events_in_another_format_are_no_data() {
        for media in ["application/cloudevents+avro", "application/cloudevents-batch+protobuf"] {
            let given = headers(&[("content-type", media), ("ce-id", "1")]);
            let refused = Mode::of(&given).unwrap_err();
            assert_eq!(refused.kind(), Kind::UnsupportedMediaType);
            assert!(refused.detail().contains(media), "{}", refused.detail());
        }
    }

    #[test]
    fn attributes_in_headers_are_percent_decoded() {
        let given = headers(&[("ce-id", "a%20b"), ("ce-subject", "%E2%82%AC"), ("x-other", "1")]);
        let read = attributes(&given).unwrap();
        assert_eq!(read, [("id".into(), "a b".into()), ("subject".into(), "€".into())]);
        let refused = attributes(&headers(&[("ce-id", "%ff")])).unwrap_err();
        assert_eq!(refused.pointer, "/id");
    }

    #[test]
    fn a_value_is_unquoted_then_unescaped_then_percent_decoded_once() {
        for (value, meant) in [
            (r#""q1""#, "q1"),
            (r#""a \"b\" c""#, r#"a "b" c"#),
            (r#""back\\slash""#, r"back\slash"),
            (r#""  quoted  text  "unquoted"#, "  quoted  text  unquoted"),
            (r"not\escaped", r"not\escaped"),
            (r#""quoted%20and%2525""#, "quoted and%25"),
            ("Euro%20%e2%82%ac%20%f0%9F%98%80", "Euro € 😀"),
            ("unnecessarily%41", "unnecessarilyA"),
            ("50%", "50%"),
            ("%22", "\""),
            (r#""""#, ""),
            ("", ""),
        ] {
            assert_eq!(decoded(value.as_bytes()).as_deref(), Ok(meant), "{value}");
        }
        for value in ["%C0%A0", "%ED%A0%80", "%E2x", r#""open"#, r#""open\"#, r#"a"b"c"d"#] {
            assert!(decoded(value.as_bytes()).is_err(), "{value}");
        }
    }
}
