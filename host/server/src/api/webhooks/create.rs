//! `POST /v1/webhooks`.

use std::collections::BTreeMap;

use alerts_domain::endpoint::{EndpointSpec, WebhookEndpoint};
use alerts_domain::label::Label;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::secret::Secret;
use alerts_engine::{Actor, EndpointDraft, Plugins};
use alerts_package::Kind;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::TAG;
use super::endpoint::{WebhookEndpointView, headers_of, secrets_of};
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::idempotency::{Answer, Once};
use crate::api::problem::Problem;
use crate::state::AppState;

/// A new webhook endpoint.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "On-call",
    "target_url": "https://example.com/hook",
    "headers": {"x-team": "payments"},
    "rate_limit": {"per_minute": 60, "burst": 10}
}))]
pub(super) struct NewWebhookEndpoint {
    /// For people.
    name: String,
    /// Where alerts go. May be left out where the target plugin has a default.
    target_url: Option<String>,
    /// Signs every delivery; made when absent, and shown once in the answer.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 1024, write_only)]
    secret: Option<Secret>,
    /// Extra request headers.
    headers: Option<BTreeMap<String, String>>,
    /// Id of the target plugin; `http` when absent.
    target: Option<String>,
    /// For the target plugin, by its own schema (see `/v1/plugins`).
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// The target plugin's secrets, by name. Never shown again.
    #[schema(value_type = Option<BTreeMap<String, String>>, write_only)]
    secrets: Option<BTreeMap<String, Secret>>,
    /// Whether anything is sent to it; true when absent.
    is_active: Option<bool>,
    /// Whether alerts carry the event's `data` beyond the summary fields; false when absent.
    include_event_data: Option<bool>,
    /// How many deliveries may start; over the limit a delivery waits.
    rate_limit: Option<RateLimit>,
    /// How many times in a row the target must answer that it is gone (404, 410)
    /// before the rule is switched off; 1 when absent.
    #[schema(minimum = 1, maximum = 100)]
    gone_after: Option<u32>,
    /// The configuration that makes it, when one does (see `exosphere-alerts apply`). Cannot
    /// be changed.
    #[schema(value_type = Option<String>, max_length = 100)]
    managed_by: Option<Label>,
}

impl NewWebhookEndpoint {
    /// What the engine makes of it.
    pub(super) fn draft(self, plugins: &Plugins) -> Result<EndpointDraft, Problem> {
        let target = self.target.unwrap_or_else(|| EndpointSpec::DEFAULT_TARGET.to_owned());
        let target_url = match self.target_url {
            Some(url) => url,
            None => default_url(plugins, &target).ok_or_else(|| {
                Problem::field("/target_url", format!("missing: target `{target}` has no default"))
            })?,
        };
        let spec = EndpointSpec {
            name: self.name,
            target_url,
            target,
            settings: self.settings.unwrap_or_default(),
            headers: headers_of(self.headers.unwrap_or_default()),
            is_active: self.is_active.unwrap_or(true),
            include_event_data: self.include_event_data.unwrap_or(false),
            rate_limit: self.rate_limit,
            gone_after: self.gone_after.unwrap_or(EndpointSpec::DEFAULT_GONE_AFTER),
        };
        let secrets = self.secrets.unwrap_or_default();
        let (signing_secret, managed_by) = (self.secret, self.managed_by);
        Ok(EndpointDraft { spec, signing_secret, managed_by, secrets })
    }
}

fn default_url(plugins: &Plugins, target: &str) -> Option<String> {
    plugins.get(Kind::Target, target)?.manifest().default_url.clone()
}

/// Create a webhook endpoint
///
/// The answer holds the signing secret in `secret`. It is shown this once.
#[utoipa::path(post, path = "/v1/webhooks", tag = TAG, request_body = NewWebhookEndpoint,
    params(("idempotency-key" = Option<String>, Header, description = "Makes repeating safe.")),
    responses((status = 201, description = "The endpoint, with its signing secret.",
        body = WebhookEndpointView,
        headers(("etag" = String, description = "Of its version, for If-Match.")))))]
pub(super) async fn create_webhook(
    State(state): State<AppState>,
    Editor(actor): Editor,
    once: Once,
    body: JsonBody<NewWebhookEndpoint>,
) -> Result<Response, Problem> {
    let draft = body.value.draft(state.engine().plugins())?;
    let work = async {
        let made = state.engine().endpoints().create(&actor, draft).await?;
        answer(&state, made.endpoint, &made.signing_secret)
    };
    let find = async |id: &str| find(&state, &actor, id).await;
    once.answer_or_find(&state, &actor, &body.raw, work, find).await
}

fn answer(state: &AppState, made: WebhookEndpoint, secret: &Secret) -> Result<Answer, Problem> {
    let view = WebhookEndpointView::of(state, made).with_secret(secret);
    Answer::json(StatusCode::CREATED, &view)
}

/// The answer to a request that made this endpoint.
async fn find(state: &AppState, actor: &Actor, id: &str) -> Result<Option<Answer>, Problem> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let found = state.store().get_endpoint(&actor.tenant, id).await?;
    let Some(made) = found.filter(|endpoint| endpoint.deleted_at.is_none()) else {
        return Ok(None);
    };
    secrets_of(state, &made).map(|secrets| answer(state, made, &secrets.signing)).transpose()
}
