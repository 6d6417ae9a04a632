//! `POST /v1/sources`.

use alerts_domain::secret::Secret;
use alerts_domain::source::{Mapping, SourceKind, SourceSpec, WebhookSource};
use alerts_engine::Actor;
use alerts_sources::SourceDraft;
use alerts_store::StoredWebhookSource;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::TAG;
use super::view::SourceView;
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::idempotency::{Answer, Once};
use crate::api::problem::Problem;
use crate::state::AppState;

/// A new webhook in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Our repositories", "kind": "github"}))]
pub(super) struct NewSource {
    /// For people.
    name: String,
    /// Whose words its sender uses. It stays as it is made.
    kind: SourceKind,
    /// By what its sender is known: 16 characters or more. Made when absent, and shown once in
    /// the answer.
    #[schema(value_type = Option<String>, min_length = 16, max_length = 1024, write_only)]
    secret: Option<Secret>,
    /// For kind `mapped`: the expressions that make its events.
    mapping: Option<Mapping>,
}

/// Create a webhook in
///
/// The answer's `url` is where its sender posts, and `secret` what the sender must know; it is
/// shown this once. GitHub signs with it (`X-Hub-Signature-256`), GitLab sends it
/// (`X-Gitlab-Token`), and any other sender does one or the other: `Authorization: Bearer` or
/// `X-Exosphere-Token` with the secret, `X-Hub-Signature-256`, or the signature of Standard
/// Webhooks.
#[utoipa::path(post, path = "/v1/sources", tag = TAG, request_body = NewSource,
    params(("idempotency-key" = Option<String>, Header, description = "Makes repeating safe.")),
    responses((status = 201, description = "The source, with its secret.", body = SourceView,
        headers(("etag" = String, description = "Of its version, for If-Match.")))))]
pub(super) async fn create_source(
    State(state): State<AppState>,
    Editor(actor): Editor,
    once: Once,
    body: JsonBody<NewSource>,
) -> Result<Response, Problem> {
    let NewSource { name, kind, secret, mapping } = body.value;
    let draft = SourceDraft { spec: SourceSpec { name, kind, mapping }, secret };
    let work = async {
        let (source, secret) = state.webhook_sources().create(&actor, draft).await?;
        answer(&state, source, &secret)
    };
    let find = async |id: &str| find(&state, &actor, id).await;
    once.answer_or_find(&state, &actor, &body.raw, work, find).await
}

fn answer(state: &AppState, source: WebhookSource, secret: &Secret) -> Result<Answer, Problem> {
    let made = StoredWebhookSource { source, status: None };
    let view = SourceView::of_webhook(made, state.site()).with_secret(secret);
    Answer::json(StatusCode::CREATED, &view)
}

/// The answer to a request that made this source.
async fn find(state: &AppState, actor: &Actor, id: &str) -> Result<Option<Answer>, Problem> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let sources = state.webhook_sources();
    let Ok(found) = sources.get(actor, id).await else { return Ok(None) };
    let secret = sources.open_secret(&found.source).ok();
    secret.map(|secret| answer(state, found.source, &secret)).transpose()
}
