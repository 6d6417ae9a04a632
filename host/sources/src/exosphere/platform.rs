//! The state-manager's HTTP API, as far as a watcher needs it: reads only, each within
//! bounds, and what is wrong in words for whoever set its URL and key.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::exchange::TransportError;
use alerts_domain::tenant::TenantId;
use alerts_engine::{EngineError, Fetched, Fetcher};
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use url::Url;

use super::answers::{NodeTimes, RunGraph, RunsPage, namespaces};
use super::settings::ExosphereSettings;

/// How long one answer may take. A state-manager whose database is gone says so after
/// thirty seconds.
const PATIENCE: Duration = Duration::from_secs(40);
/// Runs on a page: some 21 KB.
pub(super) const PAGE_SIZE: u64 = 100;

/// A state-manager.
#[derive(Debug, Clone)]
pub(super) struct Platform {
    fetcher: Fetcher,
    url: Url,
    headers: HeaderMap,
}

/// An answer, and what time it was for the platform.
#[derive(Debug, Clone)]
pub(super) struct Answer<T> {
    pub(super) value: T,
    pub(super) date: Option<Timestamp>,
}

/// It did not answer as it should. Never holds the key, nor what was answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error(
        "{url} refuses the key (401): set ALERTS_EXOSPHERE_KEY to the state-manager's own secret"
    )]
    Unauthorized { url: String },
    #[error("{url} cannot be reached: {cause}")]
    Unreachable { url: String, cause: TransportError },
    #[error("{url} fails with status {status}: look at the state-manager's log and its database")]
    Failing { url: String, status: u16 },
    #[error("{url} does not answer like Exosphere: {why}; look at ALERTS_EXOSPHERE_URL")]
    NotExosphere { url: String, why: String },
}

impl Failure {
    /// A word for it, as in [`crate::Trouble`].
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } => "unauthorized",
            Self::Unreachable { .. } => "unreachable",
            Self::Failing { .. } => "failing",
            Self::NotExosphere { .. } => "not_exosphere",
        }
    }

    /// Whether the next request would fare no better.
    pub(super) fn is_everywhere(&self) -> bool {
        matches!(self, Self::Unauthorized { .. } | Self::Unreachable { .. })
    }
}

impl Platform {
    /// # Errors
    /// The HTTP client could not be made.
    pub(super) fn new(settings: &ExosphereSettings) -> Result<Self, EngineError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // The settings let nothing else in.
        if let Ok(mut key) = HeaderValue::from_str(settings.key.expose()) {
            key.set_sensitive(true);
            headers.insert("x-api-key", key);
        }
        let fetcher = Fetcher::new(&settings.name_servers, PATIENCE)?;
        Ok(Self { fetcher, url: settings.url.clone(), headers })
    }

    /// The namespaces that have registered nodes.
    pub(super) async fn namespaces(&self) -> Result<Answer<Vec<TenantId>>, Failure> {
        self.get(&["v0", "namespaces"], namespaces).await
    }

    /// A page of a namespace's runs, the newest first; pages begin with 1.
    pub(super) async fn runs(
        &self,
        namespace: &TenantId,
        page: u64,
    ) -> Result<Answer<RunsPage>, Failure> {
        let (page, size) = (page.max(1).to_string(), PAGE_SIZE.to_string());
        let path = ["v0", "namespace", namespace.as_str(), "runs", &page, &size];
        self.get(&path, RunsPage::read).await
    }

    /// The states of a run that its namespace has.
    pub(super) async fn graph(
        &self,
        namespace: &TenantId,
        run_id: &str,
    ) -> Result<Answer<RunGraph>, Failure> {
        let path = ["v0", "namespace", namespace.as_str(), "states", "run", run_id, "graph"];
        self.get(&path, RunGraph::read).await
    }

    /// When a state was made and reported.
    pub(super) async fn node(
        &self,
        namespace: &TenantId,
        graph_name: &str,
        run_id: &str,
        state_id: &str,
    ) -> Result<Answer<NodeTimes>, Failure> {
        let namespace = namespace.as_str();
        let path =
            ["v0", "namespace", namespace, "graph", graph_name, "run", run_id, "node", state_id];
        self.get(&path, NodeTimes::read).await
    }

    async fn get<T>(
        &self,
        path: &[&str],
        read: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Result<Answer<T>, Failure> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let fetched = self.fetcher.get(url, self.headers.clone()).await;
        let Fetched { status, location, date, body } =
            fetched.map_err(|cause| Failure::Unreachable { url: self.url.to_string(), cause })?;
        let url = self.url.to_string();
        match status {
            200 => read(&body)
                .map(|value| Answer { value, date })
                .map_err(|why| Failure::NotExosphere { url, why }),
            401 | 403 => Err(Failure::Unauthorized { url }),
            429 | 500.. => Err(Failure::Failing { url, status }),
            300..=399 => {
                let to = location.unwrap_or_else(|| "nowhere".to_owned());
                // Followed, the key could end up with somebody else.
                let why = format!("it redirects to {to:.200}, which is not followed");
                Err(Failure::NotExosphere { url, why })
            }
            _ => {
                Err(Failure::NotExosphere { url, why: format!("it answers with status {status}") })
            }
        }
    }
}
