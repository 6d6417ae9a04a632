//! How a request carries its events: the three modes of the CloudEvents HTTP
//! binding (1.0.2, section 3).

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

/// The attributes in the headers, percent-decoded (section 3.1.3.2).
pub(super) fn attributes(headers: &HeaderMap) -> Result<Vec<(String, String)>, FieldError> {
    let attributes = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(PREFIX)?;
        Some(match percent_decode(value.as_bytes()).decode_utf8() {
            Ok(text) => Ok((name.to_owned(), text.into_owned())),
            Err(_) => Err(FieldError::new(
                format!("/{name}"),
                format!("the header {PREFIX}{name} must be UTF-8, percent-encoded"),
            )),
        })
    });
    attributes.collect()
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
    fn attributes_in_headers_are_percent_decoded() {
        let given = headers(&[("ce-id", "a%20b"), ("ce-subject", "%E2%82%AC"), ("x-other", "1")]);
        let read = attributes(&given).unwrap();
        assert_eq!(read, [("id".into(), "a b".into()), ("subject".into(), "€".into())]);
        assert!(attributes(&headers(&[("ce-id", "%ff")])).is_err());
    }
}
