//! The plugins in use. They are the host's, so every key sees the same ones.

mod grants;
mod limits;
mod upload;
mod view;

use alerts_domain::api_key::Role;
use alerts_domain::tenant::TenantId;
use alerts_engine::Actor;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::view::PluginView;
use crate::api::caller::Caller;
use crate::api::page::{self, Listed, PageQuery};
use crate::api::path::PathText;
use crate::api::problem::{Kind, Problem};
use crate::api::query::Query;
use crate::state::AppState;

const TAG: &str = "Plugins";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list_plugins, upload::upload_plugin))
        .routes(routes!(get_plugin, upload::remove_plugin))
        .routes(routes!(grants::get_plugin_grants, grants::set_plugin_grants))
        .routes(routes!(limits::get_plugin_limits, limits::set_plugin_limits))
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
    PathText(id): PathText,
) -> Result<Json<PluginView>, Problem> {
    caller.require(Role::Viewer)?;
    let found = state.engine().plugins().entry(&id);
    let missing = || Problem::new(Kind::NotFound, format!("there is no plugin `{id}`"));
    found.map(|plugin| Json(plugin.into())).ok_or_else(missing)
}
