//! Alert rules: when to send.

mod backtest;
mod check;
mod create;
mod rule;
mod update;

use alerts_domain::Timestamp;
use alerts_domain::id::RuleId;
use alerts_engine::{Actor, ChangeError};
use axum::extract::State;
use http::StatusCode;
use jiff::SignedDuration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::rule::AlertRuleView;
pub(crate) use self::rule::ConditionView;
use super::caller::{Editor, Viewer};
use super::page::{self, Listed, PageQuery};
use super::path::PathId;
use super::problem::{Problem, ProblemBody};
use super::query::Query;
use super::version::{IfMatch, Shown};
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Alert rules";
/// What is missing when there is none.
const KIND: &str = "alert rule";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(create::create_alert_rule, list_alert_rules))
        .routes(routes!(backtest::backtest_alert_rule))
        .routes(routes!(check::check_alert_rule))
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
    let Listed { data, next_cursor } = Listed::of(page, |rule| rule.id, AlertRuleView::from);
    let data = with_firings(&state, &actor, data).await?;
    Ok(Listed { data, next_cursor })
}

/// What "in the last 24 hours" is counted from: so many hours before the one that is.
const FIRED_HOURS: i64 = 23;

/// The rules, with what they have done.
async fn with_firings(
    state: &AppState,
    actor: &Actor,
    rules: Vec<AlertRuleView>,
) -> Result<Vec<AlertRuleView>, Problem> {
    let ids: Vec<RuleId> = rules.iter().map(AlertRuleView::id).collect();
    let ago = SignedDuration::from_hours(FIRED_HOURS);
    let since = state.now().saturating_sub(ago).unwrap_or(Timestamp::MIN);
    let firings = state.store().rule_firings(&actor.tenant, &ids, since).await?;
    let of = |rule: &AlertRuleView| firings.get(&rule.id()).copied().unwrap_or_default();
    Ok(rules
        .into_iter()
        .map(|rule| {
            let firings = of(&rule);
            rule.with_firings(firings)
        })
        .collect())
}

/// Get an alert rule
#[utoipa::path(get, path = "/v1/alert-rules/{id}", tag = TAG,
    params(("id" = RuleId, Path)),
    responses((status = 200, description = "The rule.", body = AlertRuleView,
        headers(("etag" = String, description = "Of its version, for If-Match.")))))]
async fn get_alert_rule(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    PathId(id): PathId<RuleId>,
) -> Result<Shown<AlertRuleView>, Problem> {
    let rule = current(&state, &actor, id).await?;
    let shown = with_firings(&state, &actor, vec![rule]).await?.pop();
    shown.map(Shown).ok_or_else(|| Problem::not_found(KIND, id))
}

/// The rule as it is now.
async fn current(state: &AppState, actor: &Actor, id: RuleId) -> Result<AlertRuleView, Problem> {
    let found = state.store().get_rule(&actor.tenant, id).await?;
    let rule = found
        .filter(|rule| rule.deleted_at.is_none())
        .ok_or_else(|| Problem::not_found(KIND, id))?;
    Ok(rule.into())
}

/// Why a change of the rule was not made.
async fn refused(state: &AppState, actor: &Actor, id: RuleId, why: ChangeError) -> Problem {
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

/// Delete an alert rule
///
/// Softly: deliveries that it has made go on.
#[utoipa::path(delete, path = "/v1/alert-rules/{id}", tag = TAG,
    params(("id" = RuleId, Path),
        ("if-match" = Option<String>, Header, description = "An ETag: deletes that version only.")),
    responses((status = 204, description = "It is deleted."),
        (status = 412, description = "It has changed since; `current` is what is stored now.",
            body = ProblemBody, content_type = "application/problem+json")))]
async fn delete_alert_rule(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<RuleId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    match state.engine().rules().delete(&actor, id, &expected).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(refused(&state, &actor, id, error).await),
    }
}
