//! The receiver of the alerts: it writes down what it gets, and now and then
//! asks for it again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use alerts_outside::Outcome;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use serde_json::Value;

/// One of so many requests is answered 503, so that retries are under way when
/// the host is struck.
const REFUSED_ONE_OF: usize = 7;

/// What came of one event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrived {
    /// Ids of the deliveries: one, however often it was sent.
    pub(crate) deliveries: BTreeSet<String>,
    /// How often it was answered 200.
    pub(crate) taken: usize,
}

/// What has arrived, by the emitter's id of the event.
pub(crate) type Arrivals = BTreeMap<String, Arrived>;

#[derive(Debug, Default)]
struct Seen {
    arrivals: Arrivals,
    requests: usize,
}

/// Listens as long as this program runs.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Receiver {
    pub(crate) async fn start() -> Outcome<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let app = Router::new().route("/", post(receive)).with_state(seen.clone());
        let url = format!("http://{}/", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { url, seen })
    }

    /// Those of these events that have not arrived.
    pub(crate) fn missing<'a>(&self, events: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let seen = lock(&self.seen);
        let has_arrived = |event: &str| seen.arrivals.get(event).is_some_and(|at| at.taken > 0);
        events.filter(|event| !has_arrived(event)).collect()
    }

    pub(crate) fn arrivals(&self) -> Arrivals {
        lock(&self.seen).arrivals.clone()
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn receive(State(seen): State<Arc<Mutex<Seen>>>, body: Bytes) -> StatusCode {
    let alert: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut seen = lock(&seen);
    seen.requests += 1;
    let is_refused = seen.requests.is_multiple_of(REFUSED_ONE_OF);
    let arrived = seen.arrivals.entry(text(&alert["event"]["id"])).or_default();
    arrived.deliveries.insert(text(&alert["id"]));
    if is_refused {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    arrived.taken += 1;
    StatusCode::OK
}
