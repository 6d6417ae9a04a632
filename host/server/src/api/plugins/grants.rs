//! `GET` and `PUT /v1/plugins/{id}/grants`: who may use a plugin, and where it
//! may send for them.

use alerts_domain::api_key::Role;
use alerts_domain::tenant::TenantId;
use alerts_store::PluginGrant;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::{TAG, operator};
use crate::api::body::JsonBody;
use crate::api::caller::Caller;
use crate::api::path::PathText;
use crate::api::problem::Problem;
use crate::state::AppState;

/// Who may use a plugin.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grants {
    /// One for each tenant; an empty list opens the plugin to everyone.
    grants: Vec<Grant>,
}

/// One tenant's right to use a plugin.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PluginGrant)]
struct Grant {
    /// The namespace.
    #[schema(value_type = String, example = "payments")]
    tenant: TenantId,
    /// Host names to which the plugin may send for this tenant, besides that of
    /// the endpoint's own URL. Absent: those in its manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["ntfy.example.com"]))]
    hosts: Option<Vec<String>>,
}

impl From<PluginGrant> for Grant {
    fn from(PluginGrant { tenant, hosts }: PluginGrant) -> Self {
        Self { tenant, hosts }
    }
}

impl From<Grant> for PluginGrant {
    fn from(Grant { tenant, hosts }: Grant) -> Self {
        Self { tenant, hosts }
    }
}

/// Get a plugin's grants
#[utoipa::path(get, path = "/v1/plugins/{id}/grants", tag = TAG,
    params(("id" = String, Path, description = "For example `ntfy`.")),
    responses((status = 200, description = "Who may use it.", body = Grants)))]
pub(super) async fn get_plugin_grants(
    State(state): State<AppState>,
    caller: Caller,
    PathText(id): PathText,
) -> Result<Json<Grants>, Problem> {
    caller.require(Role::Platform)?;
    let plugins = state.engine().plugins();
    plugins.entry(&id).ok_or_else(|| Problem::not_found("plugin", &id))?;
    let grants = plugins.grants(&id).into_iter().map(Grant::from).collect();
    Ok(Json(Grants { grants }))
}

/// Set a plugin's grants
///
/// Replaces all of them. A tenant that loses a plugin keeps its endpoints, and
/// their deliveries wait.
#[utoipa::path(put, path = "/v1/plugins/{id}/grants", tag = TAG, request_body = Grants,
    params(("id" = String, Path, description = "For example `ntfy`.")),
    responses((status = 200, description = "Who may use it now.", body = Grants)))]
pub(super) async fn set_plugin_grants(
    State(state): State<AppState>,
    caller: Caller,
    PathText(id): PathText,
    body: JsonBody<Grants>,
) -> Result<Json<Grants>, Problem> {
    caller.require(Role::Platform)?;
    let grants: Vec<_> = body.value.grants.into_iter().map(PluginGrant::from).collect();
    let engine = state.engine();
    let set = engine.plugin_admin().grant_plugin(&operator(&caller), &id, &grants).await;
    set.map_err(|error| Problem::of_change(error, &id))?;
    Ok(Json(Grants { grants: grants.into_iter().map(Grant::from).collect() }))
}
