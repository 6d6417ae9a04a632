//! A webhook endpoint as the API shows it.

use std::collections::BTreeMap;

use alerts_domain::Timestamp;
use alerts_domain::endpoint::{EndpointSecrets, WebhookEndpoint};
use alerts_domain::header::Headers;
use alerts_domain::id::EndpointId;
use alerts_domain::label::Label;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::secret::Secret;
use alerts_engine::CircuitState;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::version::{self, Versioned};
use crate::state::AppState;

/// Where to send.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = WebhookEndpoint)]
pub(super) struct WebhookEndpointView {
    id: EndpointId,
    /// For people.
    #[schema(example = "On-call")]
    name: String,
    /// Where alerts go. Masked where the target keeps it secret.
    #[schema(example = "https://example.com/hook")]
    target_url: String,
    /// The signing secret: only in the answer to the request that made the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: Option<String>,
    /// Extra request headers.
    headers: BTreeMap<String, String>,
    /// Id of the target plugin.
    #[schema(example = "http")]
    target: String,
    /// What the target plugin was told, by its own schema.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// Whether anything is sent to it.
    is_active: bool,
    /// Whether alerts carry the event's `data` beyond the summary fields.
    include_event_data: bool,
    /// How many deliveries may start.
    rate_limit: Option<RateLimit>,
    /// How many times in a row the target must answer that it is gone (404, 410)
    /// before the rule is switched off.
    gone_after: u32,
    /// Whether alerts are sent to it now, or held because it does not answer: as
    /// the host that was asked sees it.
    circuit: CircuitView,
    /// Until when the signing secret before this one signs as well; null when none does.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_valid_until: Option<Timestamp>,
    /// Counts changes; each attempt says which version it used.
    version: i64,
    /// The same as the header `ETag`: send it as `If-Match` to change this version and no
    /// other.
    #[schema(example = "\"3\"")]
    etag: String,
    /// The configuration that has made it; null when a person did.
    #[schema(value_type = Option<String>)]
    managed_by: Option<Label>,
    /// Who made it: a key's id.
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it was deleted, softly.
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
}

/// An endpoint's secrets, if they open.
pub(super) fn secrets_of(state: &AppState, endpoint: &WebhookEndpoint) -> Option<EndpointSecrets> {
    let place = EndpointSecrets::associated_data(&endpoint.tenant, endpoint.id);
    let plain = state.keyring().open(&endpoint.sealed_secrets, &place).ok()?;
    serde_json::from_slice(&plain).ok()
}

impl WebhookEndpointView {
    /// An endpoint as it is stored, and as this host sees it now.
    pub(super) fn of(state: &AppState, endpoint: WebhookEndpoint) -> Self {
        let previous = secrets_of(state, &endpoint).and_then(|secrets| secrets.previous_signing);
        let valid_until = previous.map(|previous| previous.until);
        let spec = endpoint.spec;
        Self {
            id: endpoint.id,
            name: spec.name,
            // Stored masked where it is a secret.
            target_url: spec.target_url,
            secret: None,
            headers: spec.headers.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            target: spec.target,
            settings: spec.settings,
            is_active: spec.is_active,
            include_event_data: spec.include_event_data,
            rate_limit: spec.rate_limit,
            gone_after: spec.gone_after,
            circuit: state.engine().circuit(endpoint.id).into(),
            previous_secret_valid_until: valid_until.filter(|until| *until > state.now()),
            version: endpoint.version,
            etag: version::tag(endpoint.version),
            managed_by: endpoint.managed_by,
            created_by: endpoint.created_by,
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
            deleted_at: endpoint.deleted_at,
        }
    }
}

impl Versioned for WebhookEndpointView {
    fn tag(&self) -> &str {
        &self.etag
    }
}

/// The circuit breaker of an endpoint, on one host.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Circuit)]
struct CircuitView {
    /// `closed`: alerts are sent. `open`: it failed too often in a row, and alerts
    /// wait. `half_open`: one alert is on its way to see whether it is back.
    #[schema(example = "closed")]
    state: &'static str,
    /// Since when it is not closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// When the next alert is tried, while it is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_probe_at: Option<Timestamp>,
}

impl From<CircuitState> for CircuitView {
    fn from(circuit: CircuitState) -> Self {
        let (state, since, next_probe_at) = match circuit {
            CircuitState::Closed => ("closed", None, None),
            CircuitState::Open { since, next_probe_at } => {
                ("open", Some(since), Some(next_probe_at))
            }
            CircuitState::HalfOpen { since } => ("half_open", Some(since), None),
        };
        Self { state, since, next_probe_at }
    }
}

impl WebhookEndpointView {
    /// With the signing secret, which is shown this once.
    pub(super) fn with_secret(mut self, secret: &Secret) -> Self {
        self.secret = Some(secret.expose().to_owned());
        self
    }
}

/// Headers as tenants write them.
pub(super) fn headers_of(given: BTreeMap<String, String>) -> Headers {
    given.into_iter().collect()
}
