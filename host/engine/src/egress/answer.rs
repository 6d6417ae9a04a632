//! What is kept of an answer: secrets taken out first, and only then cut.

use std::borrow::Cow;

use alerts_domain::exchange::{Response, TransportError};
use alerts_domain::header::Headers;
use bytes::Bytes;

use crate::secrets::Mask;

/// Most of a response body that is kept, in bytes: enough for any vendor's
/// error text, small enough to store with every attempt.
const MAX_BODY_BYTES: usize = 16 * 1024;
/// Most response headers that are kept, and the longest value.
const MAX_HEADERS: usize = 64;
const MAX_VALUE_BYTES: usize = 1024;
/// How far beyond a cut one looks for a secret that began before it, in bytes: the
/// longest secret with every byte escaped, `%5Cu0041` for `A`.
const MARGIN_BYTES: usize = 8 * 1024;
/// What a transport reads of a body, and of a header's value.
pub(super) const READ_BODY_BYTES: usize = MAX_BODY_BYTES + MARGIN_BYTES;
pub(super) const READ_VALUE_BYTES: usize = MAX_VALUE_BYTES + MARGIN_BYTES;

/// An answer as it is stored, and shown to the adapter and to people.
pub(super) fn kept(mut response: Response, mask: Option<&Mask>) -> Response {
    let is_longer = response.body.len() > MAX_BODY_BYTES;
    let hidden =
        mask.and_then(|mask| mask.hide(&response.body, MAX_BODY_BYTES, response.truncated));
    if let Some(hidden) = hidden {
        response.body = hidden.into();
    }
    if response.body.len() > MAX_BODY_BYTES {
        // A reference may be longer than what it stands for.
        response.body = Bytes::copy_from_slice(&response.body[..MAX_BODY_BYTES]);
    }
    response.truncated |= is_longer;
    let headers = response.headers.iter().take(MAX_HEADERS);
    response.headers = headers.map(|(name, value)| (name, kept_value(value, mask))).collect();
    response.incomplete = response.incomplete.map(|why| masked(why, mask));
    response
}

fn kept_value(value: &str, mask: Option<&Mask>) -> String {
    let hidden = mask.and_then(|mask| mask.hide(value.as_bytes(), MAX_VALUE_BYTES, false));
    let value = match &hidden {
        Some(hidden) => String::from_utf8_lossy(hidden),
        None => Cow::Borrowed(value),
    };
    value[..value.floor_char_boundary(MAX_VALUE_BYTES)].to_owned()
}

/// Why there was no answer, without what may have come from one.
pub(super) fn kept_error(error: TransportError, mask: Option<&Mask>) -> TransportError {
    match error {
        TransportError::Dns(detail) => TransportError::Dns(masked(detail, mask)),
        TransportError::Connect(detail) => TransportError::Connect(masked(detail, mask)),
        TransportError::Tls(detail) => TransportError::Tls(masked(detail, mask)),
        TransportError::Timeout(detail) => TransportError::Timeout(masked(detail, mask)),
        TransportError::Forbidden(detail) => TransportError::Forbidden(masked(detail, mask)),
        TransportError::Protocol(detail) => TransportError::Protocol(masked(detail, mask)),
    }
}

/// Longest text about a failure, in bytes: a sentence or two.
const MAX_DETAIL_BYTES: usize = 1024;

fn masked(detail: String, mask: Option<&Mask>) -> String {
    let detail = match mask {
        None => detail,
        Some(mask) => mask.hide_text(&detail).into_owned(),
    };
    alerts_domain::text::kept(&detail, MAX_DETAIL_BYTES)
}

/// A header's value as text. HTTP allows bytes in it that are none.
pub(super) fn value_text(value: &[u8]) -> String {
    String::from_utf8_lossy(&value[..value.len().min(READ_VALUE_BYTES)]).into_owned()
}

/// All headers as text, before anything is cut.
pub(super) fn header_texts(headers: &reqwest::header::HeaderMap) -> Headers {
    headers.iter().map(|(name, value)| (name.as_str(), value_text(value.as_bytes()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_at_its_bounds() {
        let headers: Headers = (0..200).map(|n| (format!("x-{n}"), "é".repeat(1000))).collect();
        let response = Response {
            status: 200,
            headers,
            body: vec![b'x'; READ_BODY_BYTES].into(),
            truncated: false,
            incomplete: None,
        };
        let kept = kept(response, None);
        assert_eq!((kept.body.len(), kept.truncated), (MAX_BODY_BYTES, true));
        assert_eq!(kept.headers.len(), MAX_HEADERS);
        assert_eq!(kept.headers.get("x-0").map(str::len), Some(MAX_VALUE_BYTES));
    }
}
