//! What every request passes through: an id, a span in the log, the headers
//! that every answer has, and an answer even when a handler panics. Here also it
//! is seen to that a change that has begun is brought to its end, and that every
//! error is a problem document.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use alerts_engine::Entropy;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tracing::Instrument as _;

use super::problem::{self, Kind, Problem};
use crate::state::AppState;

/// The platform's request id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-exosphere-request-id");
/// Longest id that is taken over from a caller, in bytes: it stands in each log line.
const MAX_ID_BYTES: usize = 128;

/// Requests that are no GET and yet only look: hanging up cancels them.
const ONLY_LOOK: [&str; 3] =
    ["/v1/alert-rules/backtest", "/v1/webhooks/{id}/preview", "/v1/sources/{id}/try"];

/// The layer around all routes.
pub(crate) async fn front(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers(), state.engine().entropy());
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = request.method().as_str(),
        path = request.uri().path(),
    );
    let is_change = changes_something(&request);
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone());
    let answered = match is_change {
        true if state.changes().are_too_many() => {
            let detail = "more callers have hung up on their changes than this host can bring to \
                          an end at once; send the request again in a moment";
            Ok(Problem::new(Kind::Unavailable, detail).into_response())
        }
        true => state.changes().to_the_end(answered).await,
        false => answered.await,
    };
    let response = answered.unwrap_or_else(|panic| {
        let reason = panic_text(panic.as_ref());
        tracing::error!(parent: &span, reason, "a request handler panicked");
        Problem::internal().into_response()
    });
    let mut response = told_as_a_problem(response);
    let took = started.elapsed();
    let status = response.status();
    tracing::debug!(parent: &span, status = status.as_u16(), ?took, "answered");
    state.meters().answered(status, took);

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // What is answered belongs to one caller at one moment, but for the few
    // pages that say otherwise themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether the request may change something. Then it goes on when its caller hangs
/// up, from wherever it has got to: between the commit and the hand-over to the
/// workers, say, or to the audit log.
fn changes_something(request: &Request) -> bool {
    let only_looks = |path: &MatchedPath| ONLY_LOOK.contains(&path.as_str());
    !request.method().is_safe() && !request.extensions().get().is_some_and(only_looks)
}

/// The answer, with the error of a library in the form of all others.
fn told_as_a_problem(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let is_problem = response.headers().get(header::CONTENT_TYPE) == Some(&problem::MEDIA_TYPE);
    if is_error && !is_problem { Problem::of_status(status).into_response() } else { response }
}

/// The caller's id if it is safe to repeat, else a new one.
fn request_id(headers: &HeaderMap, entropy: &Entropy) -> HeaderValue {
    match headers.get(REQUEST_ID) {
        Some(id) if is_safe(id.as_bytes()) => id.clone(),
        _ => uuid_v4(entropy.bytes()),
    }
}

/// What stands in UUIDs, ULIDs and trace ids, and breaks neither a header nor
/// a log line.
fn is_safe(id: &[u8]) -> bool {
    let safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    (1..=MAX_ID_BYTES).contains(&id.len()) && id.iter().all(safe)
}

/// A random UUID (RFC 9562, 5.4).
fn uuid_v4(mut random: [u8; 16]) -> HeaderValue {
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let n = u128::from_be_bytes(random);
    let text = format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        n >> 80 & 0xffff,
        n >> 64 & 0xffff,
        n >> 48 & 0xffff,
        n & 0xffff_ffff_ffff
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unknown"))
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn an_id_that_is_made_is_a_uuid_of_version_4() {
        let id = uuid_v4([0xff; 16]);
        assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid_v4([0; 16]), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn the_error_of_a_library_becomes_a_problem_document() {
        let text = (StatusCode::PAYLOAD_TOO_LARGE, "length limit exceeded").into_response();
        let told = told_as_a_problem(text);
        assert_eq!(told.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(told.headers()[header::CONTENT_TYPE], problem::MEDIA_TYPE);
        let fine = told_as_a_problem("fine".into_response());
        assert_ne!(fine.headers()[header::CONTENT_TYPE], problem::MEDIA_TYPE);
    }

    #[test]
    fn an_id_that_could_break_a_log_line_is_replaced() {
        let entropy = Entropy::from_seed(1);
        let of = |id: &'static str| {
            let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static(id))]);
            request_id(&headers, &entropy)
        };
        assert_eq!(of("3f2c9c1e-8a51-4d55-9f0c-2a6c8d1b7e10").len(), 36);
        assert_eq!(of("trace:1.a_b"), "trace:1.a_b");
        assert_ne!(of("a b"), "a b");
        assert_ne!(of("{a}"), "{a}");
    }
}
