//! Alert rules: when to send.

mod backtest;
mod create;
mod rule;
mod update;

use alerts_domain::id::RuleId;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::rule::AlertRuleView;
use super::caller::{Editor, Viewer};
use super::page::{self, Listed, PageQuery};
use super::path::PathId;
use super::problem::Problem;
use super::query::Query;
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Alert rules";
/// What is missing when there is none.
const KIND: &str = "alert rule";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(create::create_alert_rule, list_alert_rules))
        .routes(routes!(backtest::backtest_alert_rule))
        .routes(routes!(get_alert_rule, update::update_alert_rule, delete_alert_rule))
}

/// List alert rules
///
/// Newest first, without deleted ones.
#[utoipa::path(get, path = "/v1/alert-rules", tag = TAG, params(PageQuery),
    responses((status = 200, description = "A page of rules.", body = Listed<AlertRuleView>)))]
async fn list_alert_rules(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    Query(query): Query<PageQuery>,
) -> Result<Listed<AlertRuleView>, Problem> {
    let before = page::cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit)?;
    let page = state.store().list_rules(&actor.tenant, limit, before).await?;
    Ok(Listed::of(page, |rule| rule.id, AlertRuleView::from))
}

/// Get an alert rule
#[utoipa::path(get, path = "/v1/alert-rules/{id}", tag = TAG,
    params(("id" = RuleId, Path)),
    responses((status = 200, description = "The rule.", body = AlertRuleView)))]
async fn get_alert_rule(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    PathId(id): PathId<RuleId>,
) -> Result<Json<AlertRuleView>, Problem> {
    let found = state.store().get_rule(&actor.tenant, id).await?;
    let rule = found
        .filter(|rule| rule.deleted_at.is_none())
        .ok_or_else(|| Problem::not_found(KIND, id))?;
    Ok(Json(rule.into()))
}

/// Delete an alert rule
///
/// Softly: deliveries that it has made go on.
#[utoipa::path(delete, path = "/v1/alert-rules/{id}", tag = TAG,
    params(("id" = RuleId, Path)),
    responses((status = 204, description = "It is deleted.")))]
async fn delete_alert_rule(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<RuleId>,
) -> Result<StatusCode, Problem> {
    let deleted = state.engine().rules().delete(&actor, id).await;
    deleted.map_err(|error| Problem::of_change(error, id))?;
    Ok(StatusCode::NO_CONTENT)
}
