//! Webhook endpoints: where to send.

mod create;
mod draft;
mod endpoint;
mod preview;
mod rotate;
mod test;
mod update;

use alerts_domain::id::EndpointId;
use alerts_engine::{Actor, ChangeError};
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::endpoint::WebhookEndpointView;
use super::caller::{Editor, Viewer};
use super::page::{self, Listed, PageQuery};
use super::path::PathId;
use super::problem::{Problem, ProblemBody};
use super::query::Query;
use super::version::{IfMatch, Shown};
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Webhook endpoints";
/// What is missing when there is none.
const KIND: &str = "webhook endpoint";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(create::create_webhook, list_webhooks))
        .routes(routes!(get_webhook, update::update_webhook, delete_webhook))
        .routes(routes!(rotate::rotate_webhook_secret))
        .routes(routes!(test::test_webhook))
        .routes(routes!(preview::preview_webhook))
        .routes(routes!(draft::check_draft_webhook))
        .routes(routes!(draft::test_draft_webhook))
        .routes(routes!(draft::preview_draft_webhook))
}

/// List webhook endpoints
///
/// Newest first, without deleted ones.
#[utoipa::path(get, path = "/v1/webhooks", tag = TAG, params(PageQuery),
    responses((status = 200, description = "A page of endpoints.",
        body = Listed<WebhookEndpointView>)))]
async fn list_webhooks(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    Query(query): Query<PageQuery>,
) -> Result<Listed<WebhookEndpointView>, Problem> {
    let before = page::cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit)?;
    let page = state.store().list_endpoints(&actor.tenant, limit, before).await?;
    let view = |endpoint| WebhookEndpointView::of(&state, endpoint);
    Ok(Listed::of(page, |endpoint| endpoint.id, view))
}

/// Get a webhook endpoint
#[utoipa::path(get, path = "/v1/webhooks/{id}", tag = TAG,
    params(("id" = EndpointId, Path)),
    responses((status = 200, description = "The endpoint.", body = WebhookEndpointView,
        headers(("etag" = String, description = "Of its version, for If-Match.")))))]
async fn get_webhook(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    PathId(id): PathId<EndpointId>,
) -> Result<Shown<WebhookEndpointView>, Problem> {
    current(&state, &actor, id).await.map(Shown)
}

/// The endpoint as it is now.
async fn current(
    state: &AppState,
    actor: &Actor,
    id: EndpointId,
) -> Result<WebhookEndpointView, Problem> {
    let found = state.store().get_endpoint(&actor.tenant, id).await?;
    let endpoint = found
        .filter(|endpoint| endpoint.deleted_at.is_none())
        .ok_or_else(|| Problem::not_found(KIND, id))?;
    Ok(WebhookEndpointView::of(state, endpoint))
}

/// Why a change of the endpoint was not made.
async fn refused(state: &AppState, actor: &Actor, id: EndpointId, why: ChangeError) -> Problem {
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

/// Delete a webhook endpoint
///
/// Softly: its deliveries stay on record. Rules that lead to it fire no more.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = TAG,
    params(("id" = EndpointId, Path),
        ("if-match" = Option<String>, Header, description = "An ETag: deletes that version only.")),
    responses((status = 204, description = "It is deleted."),
        (status = 412, description = "It has changed since; `current` is what is stored now.",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn delete_webhook(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<EndpointId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    match state.engine().endpoints().delete(&actor, id, &expected).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(refused(&state, &actor, id, error).await),
    }
}
