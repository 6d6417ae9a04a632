//! Versions of what people change: the header `ETag` on what is shown, `If-Match` on what
//! is to be changed.
//!
//! The tag stands in the resource itself as well, so that whoever has it from a list can
//! change it without reading it again.

use std::convert::Infallible;

use alerts_engine::Expected;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};

/// The tag of a version.
pub(crate) fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

fn version(tag: &str) -> Option<i64> {
    // One that begins with `W/` is too weak for a change to be hung on it (RFC 9110, 13.1.1).
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// Something that people change, with the tag of its version.
pub(crate) trait Versioned: Serialize {
    /// As [`tag`] makes it.
    fn tag(&self) -> &str;
}

/// The tag that stands in a resource as JSON, where it is of a kind that has versions.
pub(crate) fn tag_within(resource: &[u8]) -> Option<HeaderValue> {
    #[derive(Deserialize)]
    struct Tagged {
        etag: Option<String>,
    }

    let tagged: Tagged = serde_json::from_slice(resource).ok()?;
    HeaderValue::try_from(tagged.etag?).ok()
}

/// An answer that shows one, its tag in the header.
#[derive(Debug)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: Versioned> IntoResponse for Shown<T> {
    fn into_response(self) -> Response {
        let tag = HeaderValue::try_from(self.0.tag()).ok();
        let mut response = Json(&self.0).into_response();
        response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
        response
    }
}

/// The versions that a change is meant for.
#[derive(Debug)]
pub(crate) struct IfMatch(pub(crate) Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(expected(&parts.headers)))
    }
}

/// A tag that is none of ours is that of no version, and so no change is made for it.
fn expected(headers: &HeaderMap) -> Expected {
    let mut given = headers.get_all(header::IF_MATCH).iter().peekable();
    if given.peek().is_none() {
        return Expected::Whatever;
    }
    let mut seen = Vec::new();
    for value in given {
        for tag in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return Expected::Whatever;
            }
            seen.extend(version(tag));
        }
    }
    Expected::OneOf(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_back_and_what_is_no_tag_of_ours_is_no_version() {
        let of = |values: &[&'static str]| {
            let pair = |value: &&'static str| (header::IF_MATCH, HeaderValue::from_static(value));
            expected(&values.iter().map(pair).collect())
        };
        assert_eq!(version(&tag(-7)), Some(-7));
        assert_eq!(of(&[]), Expected::Whatever);
        assert_eq!(of(&["*"]), Expected::Whatever);
        assert_eq!(of(&["\"7\""]), Expected::OneOf(vec![7]));
        assert_eq!(of(&["\"7\", \"8\"", "\"9\""]), Expected::OneOf(vec![7, 8, 9]));
        for other in ["W/\"7\"", "7", "\"x\"", "", "\""] {
            assert_eq!(of(&[other]), Expected::OneOf(vec![]), "{other}");
        }
    }
}
