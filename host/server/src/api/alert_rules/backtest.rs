//! `POST /v1/alert-rules/backtest`: a draft rule on stored events. Answered whole,
//! or with its progress line by line for whoever asks for NDJSON.

use std::convert::Infallible;

use alerts_domain::Timestamp;
use alerts_domain::id::EventId;
use alerts_engine::{Backtest, BacktestMatch, BacktestProgress, BacktestReport};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TAG;
use super::create::NewAlertRule;
use crate::api::body::JsonBody;
use crate::api::caller::Viewer;
use crate::api::problem::Problem;
use crate::state::AppState;

/// The type of an answer that comes line by line.
const NDJSON: &str = "application/x-ndjson";

/// What to try out on which events.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BacktestRequest)]
pub(super) struct BacktestBody {
    /// The rule, as on create. Nothing of it is stored.
    rule: NewAlertRule,
    /// Events that came in then or later.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Events that came in before then; now when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
}

/// What the rule would have sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Backtest)]
pub(super) struct BacktestView {
    /// How many alerts.
    total: u64,
    /// The first thousand of them.
    matches: Vec<MatchView>,
    /// Whether there are more matches than those, or more events in the span than
    /// the million that are looked at.
    truncated: bool,
    /// Events of the rule's types that were looked at.
    scanned: u64,
    /// Events on which its condition failed.
    condition_errors: u64,
    /// The newest of these errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_condition_error: Option<String>,
}

/// One alert that would have been sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BacktestMatch)]
struct MatchView {
    /// The event that would have made it fire; for a run that takes too long, the
    /// event that told of the run.
    event_id: EventId,
    /// When it would have fired.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The values by which the rule groups, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    group: Option<Map<String, Value>>,
}

impl From<BacktestMatch> for MatchView {
    fn from(found: BacktestMatch) -> Self {
        Self { event_id: found.event_id, at: found.at, group: found.group }
    }
}

impl From<BacktestReport> for BacktestView {
    fn from(report: BacktestReport) -> Self {
        Self {
            total: report.total,
            matches: report.matches.into_iter().map(MatchView::from).collect(),
            truncated: report.truncated,
            scanned: report.scanned,
            condition_errors: report.condition_errors,
            last_condition_error: report.last_condition_error,
        }
    }
}

/// One line of an answer that comes line by line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Progress { scanned: u64, total: u64, at: Option<Timestamp> },
    Result(BacktestView),
    Problem(Value),
}

impl From<BacktestProgress> for Line {
    fn from(BacktestProgress { scanned, at, total }: BacktestProgress) -> Self {
        Self::Progress { scanned, total, at }
    }
}

/// Backtest an alert rule
///
/// Runs a draft rule over stored events and says what it would have sent, when.
/// Sends nothing and stores nothing. Closing the connection cancels it.
///
/// With `accept: application/x-ndjson` the answer comes line by line: any number
/// of `{"progress": {…}}`, then one `{"result": {…}}`, or `{"problem": {…}}`.
#[utoipa::path(post, path = "/v1/alert-rules/backtest", tag = TAG, request_body = BacktestBody,
    responses((status = 200, description = "What it would have sent.", body = BacktestView)))]
pub(super) async fn backtest_alert_rule(
    State(state): State<AppState>,
    // It changes nothing, and shows only what a viewer may read.
    Viewer(actor): Viewer,
    headers: HeaderMap,
    body: JsonBody<BacktestBody>,
) -> Result<Response, Problem> {
    let BacktestBody { rule, from, to } = body.value;
    let to = to.unwrap_or_else(|| state.now());
    let backtest = state.engine().backtests().begin(&actor, rule.into(), from, to).await?;
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains(NDJSON)) {
        return Ok(line_by_line(backtest));
    }
    Ok(Json(BacktestView::from(backtest.finish().await?)).into_response())
}

fn line_by_line(backtest: Backtest) -> Response {
    let lines = stream::unfold(Some(backtest), |backtest| async {
        let mut backtest = backtest?;
        let (line, rest) = match backtest.step().await {
            Ok(Some(progress)) => (Line::from(progress), Some(backtest)),
            Ok(None) => (Line::Result(backtest.report().into()), None),
            Err(error) => (Line::Problem(Problem::from(error).document()), None),
        };
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        Some((Ok::<_, Infallible>(text), rest))
    });
    ([(header::CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response()
}
