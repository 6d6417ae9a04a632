//! The plugins in use. They are the host's, so every key sees the same ones.

mod grants;
mod upload;

use alerts_domain::api_key::Role;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Actor, PluginEntry, PluginState};
use alerts_package::{Digest, Kind as PluginKind, Manifest};
use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::caller::Caller;
use crate::api::page::{self, Listed, PageQuery};
use crate::api::problem::{Kind, Problem};
use crate::api::query::Query;
use crate::state::AppState;

const TAG: &str = "Plugins";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list_plugins, upload::upload_plugin))
        .routes(routes!(get_plugin, upload::remove_plugin))
        .routes(routes!(grants::get_plugin_grants, grants::set_plugin_grants))
}

/// A plugin: a condition language or a target adapter.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Plugin)]
struct PluginView {
    /// The name by which rules and endpoints refer to it.
    #[schema(example = "http")]
    id: String,
    /// `condition` or `target`; null for a file that could not be read.
    #[schema(value_type = Option<String>, example = "target")]
    kind: Option<PluginKind>,
    /// Its own version.
    #[schema(example = "1.0.0")]
    version: Option<String>,
    /// SHA-256 of its newest file.
    #[schema(value_type = Option<String>)]
    digest: Option<Digest>,
    /// `compiling`, `ready`, `refused` or `disabled`.
    #[schema(example = "ready")]
    state: &'static str,
    /// Why its newest file was refused; an older one may still be in use.
    reason: Option<String>,
    /// What it says about itself: the schema of its settings, the secrets it takes.
    #[schema(value_type = Option<Object>)]
    manifest: Option<Manifest>,
    /// What became of its calls since it was loaded; null when nothing is in use.
    stats: Option<Stats>,
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

impl From<PluginEntry> for PluginView {
    fn from(entry: PluginEntry) -> Self {
        let state = match entry.state {
            PluginState::Compiling => "compiling",
            PluginState::Ready => "ready",
            PluginState::Refused => "refused",
        };
        let manifest = entry.manifest.as_ref();
        let stats = entry.in_use.as_ref().map(|plugin| plugin.stats());
        Self {
            id: entry.id,
            kind: manifest.map(|manifest| manifest.kind),
            version: manifest.map(|manifest| manifest.version.clone()),
            digest: entry.digest,
            state,
            reason: entry.reason,
            manifest: entry.manifest,
            stats: stats.map(|stats| Stats { calls: stats.calls, faults: stats.faults }),
        }
    }
}

/// What an operator does to plugins is written into the host's own audit log.
fn operator(caller: &Caller) -> Actor {
    Actor { tenant: TenantId::host(), name: caller.name() }
}

/// List plugins
///
/// In order of their ids.
#[utoipa::path(get, path = "/v1/plugins", tag = TAG, params(PageQuery),
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
    rest.retain(|plugin| plugin.id > after);
    let next_cursor = (rest.len() > limit).then(|| rest[limit - 1].id.clone());
    rest.truncate(limit);
    Ok(Listed { data: rest.into_iter().map(PluginView::from).collect(), next_cursor })
}

/// Get a plugin
#[utoipa::path(get, path = "/v1/plugins/{id}", tag = TAG,
    params(("id" = String, Path, description = "For example `http`.")),
    responses((status = 200, description = "The plugin.", body = PluginView)))]
async fn get_plugin(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PluginView>, Problem> {
    caller.require(Role::Viewer)?;
    let found = state.engine().plugins().entry(&id);
    let missing = || Problem::new(Kind::NotFound, format!("there is no plugin `{id}`"));
    found.map(|plugin| Json(plugin.into())).ok_or_else(missing)
}
