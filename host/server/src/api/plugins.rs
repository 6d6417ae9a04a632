//! The plugins in use. They are the host's, so every key sees the same ones.

use std::sync::Arc;

use alerts_domain::api_key::Role;
use alerts_package::{Digest, Kind as PluginKind, Manifest};
use alerts_sandbox::Plugin;
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Caller;
use super::page::{self, Listed, PageQuery};
use super::problem::{Kind, Problem};
use super::query::Query;
use crate::state::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(list_plugins)).routes(routes!(get_plugin))
}

/// A plugin: a condition language or a target adapter.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Plugin)]
struct PluginView {
    /// The name by which rules and endpoints refer to it.
    #[schema(example = "http")]
    id: String,
    /// `condition` or `target`.
    #[schema(value_type = String, example = "target")]
    kind: PluginKind,
    /// Its own version.
    #[schema(example = "1.0.0")]
    version: String,
    /// SHA-256 of its file.
    #[schema(value_type = String)]
    digest: Digest,
    /// `compiling`, `ready`, `refused` or `disabled`.
    #[schema(example = "ready")]
    state: &'static str,
    /// Why it was refused or disabled.
    reason: Option<String>,
    /// What it says about itself: the schema of its settings, the secrets it takes.
    #[schema(value_type = Object)]
    manifest: Manifest,
    /// What became of its calls since it was loaded.
    stats: Stats,
}

/// Counts since a plugin was loaded.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PluginStats)]
struct Stats {
    /// Calls.
    calls: u64,
    /// Times that it hit a limit, crashed or broke the contract.
    faults: u64,
}

impl From<Arc<Plugin>> for PluginView {
    fn from(plugin: Arc<Plugin>) -> Self {
        let stats = plugin.stats();
        Self {
            id: plugin.id().to_owned(),
            kind: plugin.kind(),
            version: plugin.manifest().version.clone(),
            digest: *plugin.digest(),
            state: "ready",
            reason: None,
            manifest: plugin.manifest().clone(),
            stats: Stats { calls: stats.calls, faults: stats.faults },
        }
    }
}

/// List plugins
///
/// In order of their ids.
#[utoipa::path(get, path = "/v1/plugins", tag = "Plugins", params(PageQuery),
    responses((status = 200, description = "The plugins.", body = Listed<PluginView>)))]
async fn list_plugins(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Listed<PluginView>, Problem> {
    caller.require(Role::Viewer)?;
    let limit = page::limit(query.limit)? as usize;
    let after = query.cursor.unwrap_or_default();
    let mut rest: Vec<_> = state.engine().plugins().all();
    rest.retain(|plugin| *plugin.id() > *after);
    let next_cursor = (rest.len() > limit).then(|| rest[limit - 1].id().to_owned());
    rest.truncate(limit);
    Ok(Listed { data: rest.into_iter().map(PluginView::from).collect(), next_cursor })
}

/// Get a plugin
#[utoipa::path(get, path = "/v1/plugins/{id}", tag = "Plugins",
    params(("id" = String, Path, description = "For example `http`.")),
    responses((status = 200, description = "The plugin.", body = PluginView)))]
async fn get_plugin(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PluginView>, Problem> {
    caller.require(Role::Viewer)?;
    let found = state.engine().plugins().all().into_iter().find(|plugin| plugin.id() == id);
    let missing = || Problem::new(Kind::NotFound, format!("there is no plugin `{id}`"));
    found.map(|plugin| Json(plugin.into())).ok_or_else(missing)
}
