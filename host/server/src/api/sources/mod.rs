//! Sources: what events come from beside those that are posted.

mod create;
mod receive;
mod try_out;
mod update;
mod view;

use std::collections::BTreeSet;

use alerts_domain::api_key::Role;
use alerts_domain::id::{HostId, SourceId};
use alerts_engine::{Actor, ChangeError};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::view::SourceView;
use super::caller::{Caller, Editor};
use super::page::Listed;
use super::path::{PathId, PathText};
use super::problem::{Problem, ProblemBody};
use super::version::{IfMatch, Shown};
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Sources";
/// What is missing when there is none.
const KIND: &str = "source";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list_sources, create::create_source))
        .routes(routes!(get_source, update::update_source, delete_source))
        .routes(routes!(receive::post_to_source))
        .routes(routes!(try_out::try_source))
}

/// List sources
///
/// The webhooks in of a namespace, newest first; with a platform key also the platforms that
/// are watched, and how that goes.
#[utoipa::path(get, path = "/v1/sources", tag = TAG,
    responses((status = 200, description = "All of them.", body = Listed<SourceView>)))]
async fn list_sources(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Listed<SourceView>, Problem> {
    caller.require(Role::Viewer)?;
    let mut data = match caller.require(Role::Platform) {
        Ok(()) => watched(&state).await?,
        Err(_) => Vec::new(),
    };
    if let Some(tenant) = caller.tenant()? {
        let webhooks = state.store().list_webhook_sources(tenant).await?.into_iter();
        data.extend(webhooks.map(|stored| SourceView::of_webhook(stored, state.site())));
    }
    Ok(Listed { data, next_cursor: None })
}

async fn watched(state: &AppState) -> Result<Vec<SourceView>, Problem> {
    let now = state.now();
    let hosts = state.store().list_hosts().await?.into_iter();
    let alive: BTreeSet<HostId> =
        hosts.filter(|host| host.lease_until > now).map(|host| host.id).collect();
    let sources = state.store().list_sources().await?.into_iter();
    Ok(sources.map(|source| SourceView::of_watched(source, &alive, now)).collect())
}

/// Get a source
///
/// A webhook in of the namespace, or, with a platform key, a platform that is watched.
#[utoipa::path(get, path = "/v1/sources/{id}", tag = TAG,
    params(("id" = String, Path, description = "Of a webhook in, or `exosphere`.")),
    responses((status = 200, description = "The source.", body = SourceView,
        headers(("etag" = String, description = "Of its version, for If-Match.")))))]
async fn get_source(
    State(state): State<AppState>,
    caller: Caller,
    PathText(id): PathText,
) -> Result<Response, Problem> {
    caller.require(Role::Viewer)?;
    if let Ok(webhook) = id.parse::<SourceId>() {
        let actor = caller.act(Role::Viewer)?;
        return Ok(Shown(current(&state, &actor, webhook).await?).into_response());
    }
    let watched = match caller.require(Role::Platform) {
        Ok(()) => watched(&state).await?,
        Err(_) => Vec::new(),
    };
    let found = watched.into_iter().find(|source| source.id() == id);
    let found = found.ok_or_else(|| Problem::not_found(KIND, &id))?;
    Ok(axum::Json(found).into_response())
}

/// The webhook in as it is now.
async fn current(state: &AppState, actor: &Actor, id: SourceId) -> Result<SourceView, Problem> {
    let found = state.webhook_sources().get(actor, id).await;
    let found = found.map_err(|error| Problem::of_change(error, id))?;
    Ok(SourceView::of_webhook(found, state.site()))
}

/// Why a change of the source was not made.
async fn refused(state: &AppState, actor: &Actor, id: SourceId, why: ChangeError) -> Problem {
    let is_stale = matches!(why, ChangeError::Stale);
    let problem = Problem::of_change(why, id);
    if !is_stale {
        return problem;
    }
    match current(state, actor, id).await {
        Ok(current) => problem.with_current(&current),
        Err(gone) => gone,
    }
}

/// Delete a webhook in
///
/// For good, with its secret: what is posted to it from then on is answered with 404. The
/// events that it has made stay.
#[utoipa::path(delete, path = "/v1/sources/{id}", tag = TAG,
    params(("id" = String, Path, description = "Of a webhook in."),
        ("if-match" = Option<String>, Header, description = "An ETag: deletes that version only.")),
    responses((status = 204, description = "It is deleted."),
        (status = 412, description = "It has changed since; `current` is what is stored now.",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn delete_source(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<SourceId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    match state.webhook_sources().delete(&actor, id, &expected).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(refused(&state, &actor, id, error).await),
    }
}
