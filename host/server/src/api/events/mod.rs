//! Events: posted by the platform, looked at by people.

mod mode;
mod post;
mod stored;

use alerts_domain::Timestamp;
use alerts_domain::id::EventId;
use alerts_store::EventFilter;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::stored::StoredEventView;
use super::caller::Viewer;
use super::page::{self, Listed};
use super::path::PathId;
use super::problem::Problem;
use super::query::Query;
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Events";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(post::post_events, list_events))
        .routes(routes!(get_event))
}

/// Which events to list; what is absent does not matter.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// Of exactly this type.
    #[serde(rename = "type")]
    event_type: Option<String>,
    /// Received then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Received before then.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Items on the page; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List events
///
/// Newest first, with what became of each rule that looked at them.
#[utoipa::path(get, path = "/v1/events", tag = TAG, params(EventQuery),
    responses((status = 200, description = "A page of events.", body = Listed<StoredEventView>)))]
async fn list_events(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    Query(query): Query<EventQuery>,
) -> Result<Listed<StoredEventView>, Problem> {
    let before = page::cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit)?;
    let filter = EventFilter { event_type: query.event_type, from: query.from, to: query.to };
    let page = state.store().list_events(&actor.tenant, &filter, limit, before).await?;
    Ok(Listed::of(page, |event| event.id, StoredEventView::from))
}

/// Get an event
///
/// As it was posted, with the rules that fired for it, and why the others did not.
#[utoipa::path(get, path = "/v1/events/{id}", tag = TAG, params(("id" = EventId, Path)),
    responses((status = 200, description = "The event.", body = StoredEventView)))]
async fn get_event(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    PathId(id): PathId<EventId>,
) -> Result<Json<StoredEventView>, Problem> {
    let found = state.store().get_event(&actor.tenant, id).await?;
    found.map(|event| Json(event.into())).ok_or_else(|| Problem::not_found("event", id))
}
