//! The demo's receiver: takes alerts as a customer's server would, and checks
//! the signature of each.

use std::net::SocketAddr;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::secret::Secret;
use alerts_domain::signature::{self, SIGNATURE_HEADER};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::say::say;

/// How old a signature may be, in seconds: what the Standard Webhooks
/// specification suggests, against replayed requests.
const TOLERANCE_S: i64 = 5 * 60;

/// A receiver that is up for as long as the process.
#[derive(Debug)]
pub(super) struct Receiver {
    address: SocketAddr,
    received: watch::Receiver<usize>,
}

#[derive(Debug, Clone)]
struct Inbox {
    secret: Secret,
    count: watch::Sender<usize>,
}

impl Receiver {
    /// Listens on a free port of the loopback address.
    pub(super) async fn start(secret: Secret) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (count, received) = watch::channel(0);
        let router =
            Router::new().route("/hook", post(receive)).with_state(Inbox { secret, count });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, received })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(super) fn count(&self) -> usize {
        *self.received.borrow()
    }

    /// Whether so many alerts arrive in time.
    pub(super) async fn wait_for(&self, wanted: usize, patience: Duration) -> bool {
        let mut received = self.received.clone();
        let arrived = received.wait_for(|count| *count >= wanted);
        tokio::time::timeout(patience, arrived).await.is_ok_and(|waited| waited.is_ok())
    }
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let alert: Value = serde_json::from_slice(&body).unwrap_or_default();
    let is_genuine = verify(&inbox.secret, &headers, &body, Timestamp::now());
    say(format_args!(
        "Demo: received {} of {} by rule `{}`, signature {}  ({})",
        shown(&alert["type"]),
        shown(&alert["workflow"]["graph_name"]),
        shown(&alert["rule"]["name"]),
        if is_genuine { "verified" } else { "WRONG" },
        shown(&alert["id"]),
    ));
    inbox.count.send_modify(|count| *count += 1);
    if is_genuine { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
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
