//! A receiver that writes down what it gets and answers as it is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::watch;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// What to answer to request number `n` (from 0) at this path.
type Script = Arc<dyn Fn(usize) -> Response + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Receiver {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
    scripts: Mutex<HashMap<String, Script>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            count: watch::Sender::new(0),
            scripts: Mutex::default(),
        });
        let app = Router::new().fallback(receive).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers at `path` with these statuses in turn, the last one for ever.
    pub(crate) fn answer(&self, path: &str, statuses: &[u16]) {
        let statuses: Vec<StatusCode> =
            statuses.iter().map(|code| StatusCode::from_u16(*code).unwrap()).collect();
        self.script(path, move |n| statuses[n.min(statuses.len() - 1)].into_response());
    }

    pub(crate) fn script(
        &self,
        path: &str,
        script: impl Fn(usize) -> Response + Send + Sync + 'static,
    ) {
        self.shared.scripts.lock().unwrap().insert(path.to_owned(), Arc::new(script));
    }

    /// Everything received so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Everything received at `path` so far.
    pub(crate) fn at(&self, path: &str) -> Vec<Received> {
        self.received().into_iter().filter(|received| received.uri.path() == path).collect()
    }

    /// Waits until there are `count` requests.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut changed = self.shared.count.subscribe();
        let deadline = Instant::now() + Duration::from_secs(30);
        let enough = changed.wait_for(|received| *received >= count);
        // The answer of `wait_for` holds a lock that a request needs: let go of it.
        let waited = tokio::time::timeout_at(deadline.into(), enough).await.is_ok();
        let received = self.received();
        assert!(waited, "{} of {count} requests arrived", received.len());
        received
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    let number = {
        let mut received = shared.received.lock().unwrap();
        let number = received.iter().filter(|earlier| earlier.uri.path() == path).count();
        received.push(Received { method, uri, headers, body });
        number
    };
    shared.count.send_modify(|count| *count += 1);
    let script = shared.scripts.lock().unwrap().get(&path).cloned();
    script.map_or_else(|| StatusCode::OK.into_response(), |script| script(number))
}
