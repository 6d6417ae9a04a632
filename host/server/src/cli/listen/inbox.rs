//! What arrives at a listener: checked, printed, forwarded, and kept until the next one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alerts_domain::Timestamp;
use alerts_domain::secret::Secret;
use alerts_domain::source::is_standard_signature;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde_json::Value;
use url::Url;

use crate::say::say;

/// How long the receiver may take: a little less than the host gives an attempt, so that the
/// host hears why.
const FORWARD_DEADLINE: Duration = Duration::from_secs(25);
/// Largest alert, in bytes; an event with its data is a quarter of that at most.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Headers that belong to one connection, and are made anew for the next.
const OF_A_CONNECTION: [HeaderName; 5] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::ACCEPT_ENCODING,
];

/// Takes alerts in.
#[derive(Debug)]
pub(super) struct Inbox {
    secret: Secret,
    forward: Option<Url>,
    client: reqwest::Client,
    last: Mutex<Option<Arrived>>,
}

/// An alert as it arrived.
#[derive(Debug, Clone)]
struct Arrived {
    headers: HeaderMap,
    body: Bytes,
}

pub(super) fn router(inbox: Arc<Inbox>) -> Router {
    Router::new().fallback(receive).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(inbox)
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> Response {
    inbox.take(Arrived { headers, body }).await
}

impl Inbox {
    pub(super) fn new(secret: Secret, forward: Option<Url>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(FORWARD_DEADLINE)
            // A receiver that redirects is to be seen doing so.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { secret, forward, client, last: Mutex::default() })
    }

    /// What the host is to be answered.
    async fn take(&self, arrived: Arrived) -> Response {
        if !arrived.is_signed_with(&self.secret, Timestamp::now()) {
            say(format_args!(
                "{}: refused, its signature is wrong: it is not from the host, or late",
                arrived.line()
            ));
            let told = "the signature does not fit this endpoint's secret";
            return (StatusCode::UNAUTHORIZED, told).into_response();
        }
        say(format_args!("{}, signature good", arrived.line()));
        say(arrived.shown());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(arrived.clone());
        self.forward(&arrived).await
    }

    /// Sends the last alert once more.
    pub(super) async fn replay(&self) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match last {
            Some(last) if self.forward.is_some() => {
                say(format_args!("{}, once more", last.line()));
                self.forward(&last).await;
            }
            Some(last) => say(last.shown()),
            None => say("nothing has arrived yet"),
        }
    }

    async fn forward(&self, arrived: &Arrived) -> Response {
        let Some(url) = &self.forward else { return StatusCode::NO_CONTENT.into_response() };
        let mut headers = arrived.headers.clone();
        OF_A_CONNECTION.iter().for_each(|name| drop(headers.remove(name)));
        let began = Instant::now();
        let sent = self.client.post(url.clone()).headers(headers).body(arrived.body.clone());
        match sent.send().await {
            Ok(answer) => {
                let status = answer.status();
                say(format_args!(
                    "  {url} answered {status} in {} ms",
                    began.elapsed().as_millis()
                ));
                let mut told = Response::new(Body::from_stream(answer.bytes_stream()));
                *told.status_mut() = status;
                told
            }
            Err(error) => {
                let why = error.without_url();
                say(format_args!("  {url} did not answer: {why}; is your receiver running?"));
                (StatusCode::BAD_GATEWAY, format!("the receiver did not answer: {why}"))
                    .into_response()
            }
        }
    }
}

impl Arrived {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn is_signed_with(&self, secret: &Secret, now: Timestamp) -> bool {
        let [id, time, signature] =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| self.header(name));
        is_standard_signature(secret, (id, time, signature), &self.body, now)
    }

    /// The alert's type and id.
    fn line(&self) -> String {
        let alert: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let kind = alert["type"].as_str().unwrap_or("a request").to_owned();
        format!("{kind} {}", self.header("webhook-id"))
    }

    fn shown(&self) -> String {
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(alert) => serde_json::to_string_pretty(&alert).unwrap_or_default(),
            Err(_) => String::from_utf8_lossy(&self.body).into_owned(),
        }
    }
}
