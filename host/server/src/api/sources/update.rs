//! `PATCH /v1/sources/{id}`.

use alerts_domain::id::SourceId;
use alerts_domain::secret::Secret;
use alerts_domain::source::Mapping;
use alerts_sources::SourcePatch;
use axum::extract::State;
use serde::Deserialize;

use super::view::SourceView;
use super::{TAG, refused};
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::patch::present;
use crate::api::path::PathId;
use crate::api::problem::{Problem, ProblemBody};
use crate::api::version::{IfMatch, Shown};
use crate::state::AppState;

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "All our repositories"}))]
pub(super) struct ChangedSource {
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// Its sender is known by this one alone from then on.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false, min_length = 16, max_length = 1024, write_only)]
    secret: Option<Secret>,
    /// All of it anew.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    mapping: Option<Mapping>,
}

/// Change a webhook in
///
/// In force for the next request that is posted to it.
#[utoipa::path(patch, path = "/v1/sources/{id}", tag = TAG,
    params(("id" = String, Path, description = "Of a webhook in."),
        ("if-match" = Option<String>, Header, description = "An ETag: changes that version only.")),
    request_body = ChangedSource,
    responses((status = 200, description = "The source.", body = SourceView,
            headers(("etag" = String, description = "Of its new version, for If-Match."))),
        (status = 412, description = "It has changed since; `current` is what is stored now.",
            body = ProblemBody, content_type = "application/problem+json")))]
pub(super) async fn update_source(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<SourceId>,
    IfMatch(expected): IfMatch,
    body: JsonBody<ChangedSource>,
) -> Result<Shown<SourceView>, Problem> {
    let ChangedSource { name, secret, mapping } = body.value;
    let patch = SourcePatch { name, mapping, secret };
    match state.webhook_sources().update(&actor, id, &expected, patch).await {
        Ok(changed) => Ok(Shown(SourceView::of_webhook(changed, state.site()))),
        Err(error) => Err(refused(&state, &actor, id, error).await),
    }
}
