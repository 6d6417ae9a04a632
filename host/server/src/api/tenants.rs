//! `/v1/tenants`: what the operator decides about a tenant.

use alerts_domain::api_key::Role;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;
use alerts_engine::TenantPatch;
use alerts_store::TenantMark;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::Caller;
use super::page::{self, Listed, PageQuery};
use super::patch::{nullable, present};
use super::path::PathText;
use super::problem::Problem;
use super::query::Query;
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Tenants";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(list_tenants))
        .routes(routes!(get_tenant, update_tenant))
}

/// A tenant: what the platform calls a namespace.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Tenant)]
struct TenantView {
    /// The namespace.
    #[schema(value_type = String, example = "payments")]
    name: TenantId,
    /// Whether alerts are open to it while `ALERTS_ROLLOUT` is `beta`.
    is_beta: bool,
    /// How many deliveries may start for it; null means the host's default.
    rate_limit: Option<RateLimit>,
}

impl TenantView {
    fn new(name: TenantId, mark: TenantMark) -> Self {
        Self { name, is_beta: mark.is_beta, rate_limit: mark.rate_limit }
    }
}

/// A change of a tenant. What is absent stays as it is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantPatch, example = json!({"is_beta": true}))]
struct TenantPatchBody {
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    is_beta: Option<bool>,
    /// Null takes the limit away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<RateLimit>)]
    rate_limit: Option<Option<RateLimit>>,
}

/// List tenants
///
/// By name: all that ever had an endpoint, a rule or a mark. Needs a platform key.
#[utoipa::path(get, path = "/v1/tenants", tag = TAG, params(PageQuery),
    responses((status = 200, description = "A page of tenants.", body = Listed<TenantView>)))]
async fn list_tenants(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Listed<TenantView>, Problem> {
    caller.require(Role::Platform)?;
    let limit = page::limit(query.limit)?;
    let after = query.cursor.as_deref().map(TenantId::new).transpose();
    let after = after.map_err(|error| Problem::invalid(vec![error.under("/cursor")]))?;
    let mut found = state.store().list_tenants(limit + 1, after.as_ref()).await?;
    let has_more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next_cursor = found.last().filter(|_| has_more).map(|(name, _)| name.to_string());
    let data = found.into_iter().map(|(name, mark)| TenantView::new(name, mark)).collect();
    Ok(Listed { data, next_cursor })
}

/// Get a tenant
#[utoipa::path(get, path = "/v1/tenants/{name}", tag = TAG,
    params(("name" = String, Path, description = "The namespace.")),
    responses((status = 200, description = "The tenant.", body = TenantView)))]
async fn get_tenant(
    State(state): State<AppState>,
    caller: Caller,
    PathText(name): PathText,
) -> Result<Json<TenantView>, Problem> {
    caller.require(Role::Platform)?;
    let name = tenant(&name)?;
    let mark = state.engine().tenants().mark_of(&name).await?;
    Ok(Json(TenantView::new(name, mark)))
}

/// Change a tenant
///
/// Opens alerts to it during the beta, or limits how many may leave for it. Needs
/// a platform key; written into the tenant's audit log.
#[utoipa::path(patch, path = "/v1/tenants/{name}", tag = TAG, request_body = TenantPatchBody,
    params(("name" = String, Path, description = "The namespace.")),
    responses((status = 200, description = "The tenant.", body = TenantView)))]
async fn update_tenant(
    State(state): State<AppState>,
    caller: Caller,
    PathText(name): PathText,
    body: JsonBody<TenantPatchBody>,
) -> Result<Json<TenantView>, Problem> {
    caller.require(Role::Platform)?;
    let name = tenant(&name)?;
    let patch = TenantPatch { is_beta: body.value.is_beta, rate_limit: body.value.rate_limit };
    let mark = state.engine().tenants().mark(&caller.name(), &name, patch).await?;
    Ok(Json(TenantView::new(name, mark)))
}

fn tenant(name: &str) -> Result<TenantId, Problem> {
    TenantId::new(name).map_err(|error| Problem::invalid(vec![error.under("/name")]))
}
