//! Reading request bodies: bounded in size and time, then JSON with errors
//! that point to the field.

use std::time::Duration;

use alerts_domain::problem::FieldError;
use axum::body::{Body, HttpBody as _};
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::plain::plain;
use super::problem::{Kind, Problem};

/// Largest JSON body that is not an event, in bytes: an endpoint with all of
/// its headers, settings and secrets stays far below.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// How much of a body that is too large is read on and thrown away. A caller
/// that is still writing when the connection closes never sees the answer.
const DRAINED_BYTES: u64 = 32 * 1024 * 1024;

/// A JSON body and the bytes it was read from.
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    pub(crate) raw: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        require_json(&parts.headers)?;
        let raw = read(body, MAX_BODY_BYTES, "a request body").await?;
        require_object(&raw)?;
        Ok(Self { value: parse(&raw)?, raw })
    }
}

/// A JSON body that may be left out.
pub(crate) struct OptionalJsonBody<T> {
    pub(crate) value: Option<T>,
    pub(crate) raw: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self { value: None, raw: Bytes::new() });
        }
        let JsonBody { value, raw } = JsonBody::from_request(request, state).await?;
        Ok(Self { value: Some(value), raw })
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let media = media_type(headers).unwrap_or_default();
    if media == "application/json" || media.ends_with("+json") {
        return Ok(());
    }
    let given = if media.is_empty() { "none".to_owned() } else { format!("`{media}`") };
    Err(Problem::new(
        Kind::UnsupportedMediaType,
        format!("send the header `content-type: application/json`; the request has {given}"),
    ))
}

/// Serde would take a list for an object, field by field in order.
fn require_object(json: &[u8]) -> Result<(), Problem> {
    let is_object = json.trim_ascii_start().starts_with(b"{");
    if is_object || serde_json::from_slice::<IgnoredAny>(json).is_err() {
        return Ok(());
    }
    Err(Problem::field("", "the body must be a JSON object"))
}

/// The media type without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// The whole of a body of at most `limit` bytes. `what` names it in the error.
pub(crate) async fn read(body: Body, limit: usize, what: &str) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::too_large(format!("{what} may be at most {limit} bytes; send less at once"));
    if body.size_hint().lower() > DRAINED_BYTES.max(limit as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(BODY_DEADLINE, collect(body, limit)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(error)) => Err(Problem::new(
            Kind::InvalidRequest,
            format!("the body did not arrive whole: {error}"),
        )),
        Err(_) => Err(Problem::new(
            Kind::RequestTimeout,
            format!("the body did not arrive within {} seconds", BODY_DEADLINE.as_secs()),
        )),
    }
}

/// `None` for a body over the limit.
async fn collect(mut body: Body, limit: usize) -> Result<Option<Bytes>, axum::Error> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        read += data.len() as u64;
        if read > limit as u64 {
            (first, all) = (Bytes::new(), BytesMut::new());
            if read > DRAINED_BYTES {
                return Ok(None);
            }
        } else if first.is_empty() && all.is_empty() {
            // Most bodies come in one piece, which need not be copied.
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    let whole = if all.is_empty() { first } else { all.freeze() };
    Ok((read <= limit as u64).then_some(whole))
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

/// Serde's message without its place at the end.
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
            let last = format!("/{}", escaped(name));
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
            Segment::Map { key } => pointer.push_str(&format!("/{}", escaped(key))),
            // The variant of an enum is no place in the document.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
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
            let problem = require_object(json.as_bytes()).unwrap_err();
            assert_eq!(problem.detail(), "the body must be a JSON object", "{json}");
        }
        // Told by the parser, with the place.
        assert!(require_object(b"[").is_ok() && require_object(b"").is_ok());
    }

    #[test]
    fn malformed_json_is_told_with_its_place() {
        let problem = parse::<Outer>(b"{\n  \"name\": }").unwrap_err();
        assert_eq!(problem.kind(), Kind::MalformedJson);
        assert!(problem.detail().ends_with("at line 2, column 11"), "{}", problem.detail());
        assert_eq!(parse::<Outer>(b"").unwrap_err().kind(), Kind::MalformedJson);
        assert_eq!(parse::<Outer>(b"{\"name\":\"a\"} x").unwrap_err().kind(), Kind::MalformedJson);
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_however_it_arrives() {
        let whole = read(Body::from("12345"), 5, "it").await.unwrap();
        assert_eq!(whole, "12345");
        let stream = |pieces: &'static [&'static str]| {
            let pieces = pieces.iter().map(|piece| Ok::<_, std::io::Error>(*piece));
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        assert_eq!(read(stream(&["12", "345"]), 5, "it").await.unwrap(), "12345");
        assert_eq!(
            read(stream(&["12", "345", "6"]), 5, "it").await.unwrap_err().kind(),
            Kind::TooLarge
        );
        assert_eq!(read(Body::from("123456"), 5, "it").await.unwrap_err().kind(), Kind::TooLarge);
    }
}
