//! The demo's receivers over HTTP: they behave as `targets` says. The one that is the
//! terminal checks the signature of each alert, as a customer's server would, and shows it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::secret::Secret;
use alerts_domain::signature::{self, SIGNATURE_HEADER};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde_json::Value;
use tokio::net::TcpListener;

use super::targets::{Answer, Behaviour, TERMINAL, Targets};
use crate::say::say;

/// How old a signature may be, in seconds: what the Standard Webhooks
/// specification suggests, against replayed requests.
const TOLERANCE_S: i64 = 5 * 60;
/// How long one that keeps silent does: longer than any sender waits, and not for ever.
const SILENCE: Duration = Duration::from_secs(60);

/// All of them, on one port, up for as long as the process.
#[derive(Debug)]
pub(super) struct Receivers {
    address: SocketAddr,
}

#[derive(Debug, Clone)]
struct Inbox {
    targets: Arc<Targets>,
    secret: Secret,
}

impl Receivers {
    /// Listens on the loopback address: on the port of an earlier start, if there was one
    /// and it is free, and otherwise on any.
    pub(super) async fn start(
        earlier: Option<u16>,
        targets: Arc<Targets>,
        secret: Secret,
    ) -> std::io::Result<Self> {
        let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match bind(earlier.unwrap_or(0)).await {
            Ok(listener) => listener,
            Err(_) => bind(0).await?,
        };
        let address = listener.local_addr()?;
        let router = Router::new().fallback(receive).with_state(Inbox { targets, secret });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address })
    }

    /// Scheme, host and port.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn receive(
    State(inbox): State<Inbox>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = Timestamp::now();
    if uri.path() == TERMINAL && !show(&inbox.secret, &headers, &body, now) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match inbox.targets.behave(uri.path(), &body, now) {
        Behaviour::Answers(answer) => {
            tokio::time::sleep(answer.takes).await;
            response(answer)
        }
        Behaviour::KeepsSilent => {
            tokio::time::sleep(SILENCE).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
        // One that refuses has no port here.
        Behaviour::Refuses => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(seconds) = answer.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Tells the person at the terminal of an alert. Says whether it is genuine.
fn show(secret: &Secret, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let alert: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_genuine = verify(secret, headers, body, now);
    say(format_args!(
        "Demo: received {} of {} by rule `{}`, signature {}  ({})",
        shown(&alert["type"]),
        shown(&alert["workflow"]["graph_name"]),
        shown(&alert["rule"]["name"]),
        if is_genuine { "verified" } else { "WRONG" },
        shown(&alert["id"]),
    ));
    is_genuine
}

fn shown(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// Signs the body anew with the time that the request names, and compares.
fn verify(secret: &Secret, headers: &HeaderMap, body: &[u8], now: Timestamp) -> bool {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let (Some(id), Some(own), Some(standard)) =
        (header("webhook-id"), header(SIGNATURE_HEADER), header("webhook-signature"))
    else {
        return false;
    };
    let time = header("webhook-timestamp").and_then(|seconds| seconds.parse().ok());
    let Some(time) = time.and_then(|seconds| Timestamp::from_second(seconds).ok()) else {
        return false;
    };
    if (now.as_second() - time.as_second()).abs() > TOLERANCE_S {
        return false;
    }
    let expected = signature::headers(std::iter::once(secret), id, time, body);
    // A real receiver compares in constant time; nobody measures this one.
    expected.get(SIGNATURE_HEADER) == Some(own)
        && expected.get("webhook-signature") == Some(standard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_with_the_secret_is_genuine() {
        let secret = Secret::generate_signing([7; 24]);
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let signed = signature::headers(std::iter::once(&secret), "dlv_1", now, b"{}");
        let headers: HeaderMap = signed
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::try_from(name).unwrap(), value.parse().unwrap())
            })
            .collect();
        let later = |seconds| now + jiff::SignedDuration::from_secs(seconds);
        assert!(verify(&secret, &headers, b"{}", later(10)));
        assert!(!verify(&secret, &headers, b"{ }", later(10)));
        assert!(!verify(&secret, &headers, b"{}", later(1000)));
        assert!(!verify(&Secret::generate_signing([8; 24]), &headers, b"{}", later(10)));
        assert!(!verify(&secret, &HeaderMap::new(), b"{}", later(10)));
    }
}
