//! `PATCH /v1/webhooks/{id}`.

use std::collections::BTreeMap;

use alerts_domain::id::EndpointId;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::secret::Secret;
use alerts_engine::EndpointPatch;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::endpoint::{WebhookEndpointView, headers_of};
use super::{TAG, refused};
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::patch::{nullable, present};
use crate::api::path::PathId;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::version::{IfMatch, Shown};
use crate::state::AppState;

/// A change of a webhook endpoint. What is absent stays as it is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"is_active": false, "rate_limit": null}))]
pub(super) struct WebhookEndpointPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    target_url: Option<String>,
    /// Replaces the signing secret at once. To change it without refusing
    /// anything, rotate it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false, write_only)]
    secret: Option<Secret>,
    /// Replaces all extra headers.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    target: Option<String>,
    /// Replaces all settings.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>, nullable = false)]
    settings: Option<Map<String, Value>>,
    /// Sets secrets by name; null takes one away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>, nullable = false, write_only)]
    secrets: Option<BTreeMap<String, Option<Secret>>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    include_event_data: Option<bool>,
    /// Null takes the limit away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<RateLimit>)]
    rate_limit: Option<Option<RateLimit>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, minimum = 1, maximum = 100)]
    gone_after: Option<u32>,
}

/// What stands for the secret part of a URL when it is shown.
const MASK: char = '…';

impl WebhookEndpointPatch {
    pub(super) fn patch(self) -> Result<EndpointPatch, Problem> {
        if self.target_url.as_ref().is_some_and(|url| url.contains(MASK)) {
            let detail = "is the masked form, as it is shown; leave it out to keep the URL";
            return Err(Problem::field("/target_url", detail));
        }
        Ok(EndpointPatch {
            name: self.name,
            target_url: self.target_url,
            target: self.target,
            settings: self.settings,
            headers: self.headers.map(headers_of),
            is_active: self.is_active,
            include_event_data: self.include_event_data,
            rate_limit: self.rate_limit,
            gone_after: self.gone_after,
            signing_secret: self.secret,
            secrets: self.secrets.unwrap_or_default(),
        })
    }
}

/// Change a webhook endpoint
///
/// Deliveries that are waiting use the new settings.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", tag = TAG,
    params(("id" = EndpointId, Path),
        ("if-match" = Option<String>, Header, description = "An ETag: changes that version only.")),
    request_body = WebhookEndpointPatch,
    responses((status = 200, description = "The endpoint.", body = WebhookEndpointView,
            headers(("etag" = String, description = "Of its new version, for If-Match."))),
        (status = 412, description = "It has changed since; `current` is what is stored now.",
            body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn update_webhook(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<EndpointId>,
    IfMatch(expected): IfMatch,
    body: JsonBody<WebhookEndpointPatch>,
) -> Result<Shown<WebhookEndpointView>, Problem> {
    let patch = body.value.patch()?;
    match state.engine().endpoints().update(&actor, id, &expected, patch).await {
        Ok(changed) => Ok(Shown(WebhookEndpointView::of(&state, changed))),
        Err(error) => Err(refused(&state, &actor, id, error).await),
    }
}
