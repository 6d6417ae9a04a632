//! `GET` and `PUT /v1/plugins/{id}/limits`: what an operator grants a plugin in
//! place of the host's defaults.

use alerts_domain::api_key::Role;
use alerts_domain::plugin_limits::PluginLimits;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use super::{TAG, operator};
use crate::api::body::JsonBody;
use crate::api::caller::Caller;
use crate::api::path::PathText;
use crate::api::problem::Problem;
use crate::state::AppState;

/// What an operator grants a plugin. An absent limit is the host's default. Of
/// this, what the manifest asks for and the host's ceiling the smallest is in
/// force: `limits` of `GET /v1/plugins/{id}` shows it.
#[derive(Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PluginLimits)]
pub(super) struct Limits {
    /// Units of fuel in one call, about one for each instruction. For a
    /// condition language: of evaluating; compiling a condition gets five times as much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, minimum = 1, example = 1_000_000_000)]
    fuel: Option<Number>,
    /// Milliseconds for one call. For a condition language: of evaluating;
    /// compiling a condition, and one event in all, get five times as much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, minimum = 1, example = 2_000)]
    deadline_ms: Option<Number>,
    /// Bytes of linear memory for one instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, minimum = 1, example = 134_217_728)]
    memory_bytes: Option<Number>,
    /// Bytes that one call may return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, minimum = 1, example = 2_097_152)]
    output_bytes: Option<Number>,
    /// Requests in one attempt; for a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, minimum = 1, example = 12)]
    exchanges: Option<Number>,
}

impl From<PluginLimits> for Limits {
    fn from(limits: PluginLimits) -> Self {
        let [fuel, deadline_ms, memory_bytes, output_bytes, exchanges] =
            limits.fields().map(|(_, value)| value.map(Number::from));
        Self { fuel, deadline_ms, memory_bytes, output_bytes, exchanges }
    }
}

impl From<Limits> for PluginLimits {
    fn from(limits: Limits) -> Self {
        // No limit is zero. What is negative or no whole number becomes zero here,
        // so that it is refused with the range of its limit.
        let whole = |number: Option<Number>| number.map(|number| number.as_u64().unwrap_or(0));
        Self {
            fuel: whole(limits.fuel),
            deadline_ms: whole(limits.deadline_ms),
            memory_bytes: whole(limits.memory_bytes),
            output_bytes: whole(limits.output_bytes),
            exchanges: whole(limits.exchanges),
        }
    }
}

/// Get what a plugin is granted
#[utoipa::path(get, path = "/v1/plugins/{id}/limits", tag = TAG,
    params(("id" = String, Path, description = "For example `ntfy`.")),
    responses((status = 200, description = "What is set; the rest is the host's.", body = Limits)))]
pub(super) async fn get_plugin_limits(
    State(state): State<AppState>,
    caller: Caller,
    PathText(id): PathText,
) -> Result<Json<Limits>, Problem> {
    caller.require(Role::Platform)?;
    let plugins = state.engine().plugins();
    plugins.entry(&id).ok_or_else(|| Problem::not_found("plugin", &id))?;
    Ok(Json(plugins.granted_limits(&id).into()))
}

/// Set what a plugin is granted
///
/// Replaces all of it, from the next call on: here at once, on other hosts
/// within seconds. A file that was refused for a limit is looked at again.
#[utoipa::path(put, path = "/v1/plugins/{id}/limits", tag = TAG, request_body = Limits,
    params(("id" = String, Path, description = "For example `ntfy`.")),
    responses((status = 200, description = "What is set now.", body = Limits)))]
pub(super) async fn set_plugin_limits(
    State(state): State<AppState>,
    caller: Caller,
    PathText(id): PathText,
    body: JsonBody<Limits>,
) -> Result<Json<Limits>, Problem> {
    caller.require(Role::Platform)?;
    let limits = PluginLimits::from(body.value);
    let set = state.engine().plugin_admin().limit_plugin(&operator(&caller), &id, limits).await;
    set.map_err(|error| Problem::of_change(error, &id))?;
    Ok(Json(limits.into()))
}
