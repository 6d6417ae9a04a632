//! Statistics: how many, how many of them failed and why, and how long it took, in
//! steps of time.

mod parameters;
mod view;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::parameters::{MAX_ROWS, StatsParameters};
use self::view::StatsView;
use super::caller::Viewer;
use super::problem::Problem;
use super::query::Query;
use crate::state::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(get_stats))
}

/// Get statistics
///
/// One row for each step of time in which something happened, the oldest first; with `by`,
/// one for each endpoint, rule or type of events as well. Steps begin where minutes, hours and
/// days of UTC do. Minutes are kept for 2 days, hours and days for 90. What happened within the
/// last second or two may be missing still; what was answered once only grows.
///
/// `p50_ms` and `p99_ms` answer "how long does an alert take": from the moment at which the alert
/// was made (its event was accepted, or a duration or threshold was exceeded, or it was redriven)
/// until its target had taken it, with all waiting and retries in between. They are of what was
/// delivered in that step, and off by a sixteenth at most.
#[utoipa::path(get, path = "/v1/stats", tag = "Statistics", params(StatsParameters),
    responses((status = 200, description = "The figures.", body = StatsView)))]
async fn get_stats(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    Query(parameters): Query<StatsParameters>,
) -> Result<Json<StatsView>, Problem> {
    let query = parameters.query(state.now())?;
    let rows = state.store().stats(&actor.tenant, &query, MAX_ROWS + 1).await?;
    if rows.len() > MAX_ROWS as usize {
        return Err(parameters::too_many_rows(&query));
    }
    Ok(Json(StatsView::of(query.by, rows)))
}
