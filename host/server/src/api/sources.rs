//! `GET /v1/sources`: the platforms that are watched, for operators.

use std::collections::BTreeSet;

use alerts_domain::Timestamp;
use alerts_domain::api_key::Role;
use alerts_domain::id::HostId;
use alerts_domain::tenant::TenantId;
use alerts_sources::{SourceStatus, Trouble};
use alerts_store::WatchedSource;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::page::Listed;
use super::problem::Problem;
use crate::state::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(list_sources))
}

/// What events come from: a platform that is watched.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Source)]
struct SourceView {
    #[schema(example = "exosphere")]
    id: String,
    /// What it is: `exosphere`.
    #[schema(example = "exosphere")]
    kind: String,
    /// Where it is.
    #[schema(example = "http://state-manager:8000/")]
    url: String,
    state: SourceState,
    /// The host that watches it; null when none does.
    host_id: Option<HostId>,
    /// The namespaces that are watched.
    #[schema(value_type = Vec<String>)]
    namespaces: BTreeSet<TenantId>,
    /// When it was asked last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_poll_at: Option<Timestamp>,
    /// When all that was asked was answered last. What was over before then is told, but for
    /// ends that are not yet certain.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Timestamp>,
    /// How far behind it is: since when that was, in milliseconds; null before the first time.
    behind_ms: Option<u64>,
    /// Runs that are under way, or of which the end is not certain.
    open_runs: u64,
    /// Events that are made, and not yet taken in.
    waiting_events: u64,
    /// What is wrong, and what to do about it; null when all is well.
    trouble: Option<TroubleView>,
    /// What somebody should look at, and does not keep it from being watched.
    remarks: Vec<String>,
}

/// How a source is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum SourceState {
    /// It has not been looked at yet.
    Starting,
    /// It answers.
    Watching,
    /// It does not answer as it should, see `trouble`.
    Failing,
    /// No host watches it now: none is set to, or the one that was has just died.
    Unwatched,
}

/// What is wrong with a source.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SourceTrouble)]
struct TroubleView {
    /// `unauthorized`, `unreachable`, `failing` or `not_exosphere`.
    #[schema(example = "unauthorized")]
    kind: String,
    detail: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

impl From<Trouble> for TroubleView {
    fn from(Trouble { kind, detail, since, .. }: Trouble) -> Self {
        Self { kind, detail, since }
    }
}

impl SourceView {
    fn of(source: WatchedSource, alive: &BTreeSet<HostId>, now: Timestamp) -> Self {
        let WatchedSource { id, url, host, status, open_runs, waiting_events } = source;
        let status = status.and_then(|status| SourceStatus::read(&status)).unwrap_or_default();
        let host_id = host.filter(|host| alive.contains(host));
        let state = match (host_id, &status.trouble, status.last_poll_at) {
            (None, ..) => SourceState::Unwatched,
            (_, _, None) => SourceState::Starting,
            (_, Some(_), _) => SourceState::Failing,
            (_, None, _) => SourceState::Watching,
        };
        let behind = status.last_success_at.map(|at| now.duration_since(at).as_millis().max(0));
        Self {
            kind: id.clone(),
            id,
            url,
            state,
            host_id,
            namespaces: status.namespaces,
            last_poll_at: status.last_poll_at,
            last_success_at: status.last_success_at,
            behind_ms: behind.map(|behind| u64::try_from(behind).unwrap_or(u64::MAX)),
            open_runs,
            waiting_events,
            trouble: status.trouble.map(TroubleView::from),
            remarks: status.remarks,
        }
    }
}

/// List sources
///
/// The platforms that are watched, and how that goes. Needs a platform key.
#[utoipa::path(get, path = "/v1/sources", tag = "Sources",
    responses((status = 200, description = "All of them.", body = Listed<SourceView>)))]
async fn list_sources(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Listed<SourceView>, Problem> {
    caller.require(Role::Platform)?;
    let now = state.now();
    let hosts = state.store().list_hosts().await?.into_iter();
    let alive = hosts.filter(|host| host.lease_until > now).map(|host| host.id).collect();
    let sources = state.store().list_sources().await?.into_iter();
    let data = sources.map(|source| SourceView::of(source, &alive, now)).collect();
    Ok(Listed { data, next_cursor: None })
}
