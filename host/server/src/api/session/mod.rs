//! `/v1/session`: people in browsers sign in with an API key, or come by a portal link,
//! and have a session from then on.

pub(crate) mod cookie;
pub(crate) mod own_page;
mod sign_in;
pub(crate) mod signed_in;

use alerts_domain::Timestamp;
use alerts_domain::api_key::Role;
use alerts_domain::session::{self, Theme};
use alerts_domain::tenant::TenantId;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::signed_in::SignedIn;
use super::problem::Problem;
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Sessions";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(sign_in::open_session, get_session, end_session))
}

/// Who is signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
struct SessionView {
    /// How far the session reaches.
    role: Role,
    /// For whom it acts; null for a platform key's, which acts for the namespace that the
    /// header `x-exosphere-namespace` names.
    #[schema(value_type = Option<String>, example = "payments")]
    namespace: Option<TenantId>,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// To be sent as `x-csrf-token` with each request that changes something.
    csrf_token: String,
    /// What the portal link said that opened the session; absent if a key did.
    #[serde(skip_serializing_if = "Option::is_none")]
    portal: Option<PortalView>,
}

/// What a portal link says to the page that it opens.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Portal)]
struct PortalView {
    /// The person's own choice when null.
    theme: Option<Theme>,
    /// A colour in place of the platform's own.
    #[schema(example = "#87ceeb")]
    accent: Option<String>,
    /// Where the page leads back to.
    #[schema(example = "https://exosphere.example.com/settings")]
    return_url: Option<String>,
}

/// See who is signed in
#[utoipa::path(get, path = "/v1/session", tag = TAG, security(("session" = [])),
    responses((status = 200, description = "The session of the cookie.", body = SessionView)))]
async fn get_session(SignedIn { session, token }: SignedIn) -> Json<SessionView> {
    Json(SessionView {
        role: session.role,
        namespace: session.tenant.clone(),
        expires_at: session.expires_at,
        csrf_token: session::csrf_token(token.expose()),
        portal: session.portal.clone().map(|portal| PortalView {
            theme: portal.theme,
            accent: portal.accent,
            return_url: portal.return_url,
        }),
    })
}

/// Sign out
///
/// Once this is answered the session works no more, on any host of the database; where
/// several hosts may share it, the answer takes a second.
#[utoipa::path(delete, path = "/v1/session", tag = TAG, security(("session" = [])),
    params(("x-csrf-token" = String, Header, description = "The session's `csrf_token`.")),
    responses((status = 204, description = "Nobody is signed in any more.")))]
async fn end_session(
    State(state): State<AppState>,
    SignedIn { session, .. }: SignedIn,
) -> Result<Response, Problem> {
    state.sessions().end(state.engine(), &session).await?;
    let mut answer = StatusCode::NO_CONTENT.into_response();
    cookie::clear(answer.headers_mut(), state.site());
    Ok(answer)
}
