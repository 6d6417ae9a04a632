//! API keys: a tenant's admin makes and revokes the tenant's keys; a platform
//! key does so for the tenant it names, or, naming none, for platform keys.

mod create;

use alerts_domain::Timestamp;
use alerts_domain::api_key::{ApiKey, Role};
use alerts_domain::id::ApiKeyId;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Admin;
use super::page::{self, Listed, PageQuery};
use super::path::PathId;
use super::problem::Problem;
use super::query::Query;
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "API keys";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default()
        .routes(routes!(create::create_api_key, list_api_keys))
        .routes(routes!(delete_api_key))
}

/// An API key, all but the key itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ApiKey)]
struct ApiKeyView {
    id: ApiKeyId,
    /// For people.
    name: String,
    role: Role,
    /// Who made it: a key's id, or `system`.
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl From<&ApiKey> for ApiKeyView {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name.clone(),
            role: key.role,
            created_by: key.created_by.clone(),
            created_at: key.created_at,
            expires_at: key.expires_at,
        }
    }
}

/// List API keys
///
/// Newest first. Needs the role `admin`.
#[utoipa::path(get, path = "/v1/api-keys", tag = TAG, params(PageQuery),
    responses((status = 200, description = "A page of keys.", body = Listed<ApiKeyView>)))]
async fn list_api_keys(
    State(state): State<AppState>,
    Admin(caller): Admin,
    Query(query): Query<PageQuery>,
) -> Result<Listed<ApiKeyView>, Problem> {
    let limit = page::limit(query.limit)?;
    let before: Option<ApiKeyId> = page::cursor(query.cursor.as_deref())?;
    let page = state.store().list_api_keys(caller.tenant()?, limit, before).await?;
    Ok(Listed::of(page, |key| key.id, |key| ApiKeyView::from(&key)))
}

/// Revoke an API key
///
/// Once this is answered it works no more, on any host of the database; where
/// several hosts may share it, the answer takes a second. Needs the role `admin`.
#[utoipa::path(delete, path = "/v1/api-keys/{id}", tag = TAG,
    params(("id" = ApiKeyId, Path)),
    responses((status = 204, description = "It is revoked.")))]
async fn delete_api_key(
    State(state): State<AppState>,
    Admin(caller): Admin,
    PathId(id): PathId<ApiKeyId>,
) -> Result<StatusCode, Problem> {
    let revoked = state.keys().revoke(caller.tenant()?, id, &caller.name(), state.now()).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("API key", id)) }
}
