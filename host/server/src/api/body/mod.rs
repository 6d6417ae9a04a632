//! Request bodies that are JSON objects, read whole.

mod json;
mod read;

use axum::body::HttpBody as _;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use self::json::require_object;
pub(crate) use self::json::{items, parse, pointer};
pub(crate) use self::read::read;
use super::problem::{Kind, Problem};
use crate::limits::{Share, Whole};
use crate::state::AppState;

/// Largest JSON body that is not an event, in bytes: an endpoint with all of
/// its headers, settings and secrets stays far below.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A JSON body and the bytes it was read from.
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    pub(crate) raw: Bytes,
    /// Held until the request is answered.
    share: Share,
}

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        require_json(&parts.headers)?;
        let whole = read(body, state, MAX_BODY_BYTES, "a request body").await?;
        let Whole { bytes, share } = whole;
        let raw = require_object(&bytes)?;
        Ok(Self { value: parse(&raw)?, raw, share })
    }
}

/// A JSON body that may be left out.
pub(crate) struct OptionalJsonBody<T> {
    pub(crate) value: Option<T>,
    pub(crate) raw: Bytes,
    /// Held until the request is answered.
    _share: Option<Share>,
}

impl<T: DeserializeOwned> FromRequest<AppState> for OptionalJsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self { value: None, raw: Bytes::new(), _share: None });
        }
        let JsonBody { value, raw, share } = JsonBody::from_request(request, state).await?;
        Ok(Self { value: Some(value), raw, _share: Some(share) })
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

/// The media type without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}
