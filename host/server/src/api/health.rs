//! How the process is: for load balancers, for Prometheus. No key needed; what
//! is told here names no tenant.

use alerts_domain::problem::FieldError;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problem::Problem;
use crate::meters;
use crate::readiness::{self, Trouble};
use crate::state::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(live)).routes(routes!(ready)).routes(routes!(figures))
}

/// How it is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Health {
    /// `ok`
    status: &'static str,
    /// What does not keep it from its work, and somebody should look at: stored rows
    /// that do not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remarks: Vec<String>,
}

impl Health {
    fn ok(remarks: Vec<String>) -> Json<Self> {
        Json(Self { status: "ok", remarks })
    }
}

/// Liveness
///
/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "Health", security(()),
    responses((status = 200, description = "It lives.", body = Health)))]
async fn live() -> Json<Health> {
    Health::ok(Vec::new())
}

/// Readiness
///
/// Whether it can take requests and does its work. If not, `errors` names the parts
/// that do not, as `/database`, and what is wrong with each.
#[utoipa::path(get, path = "/readyz", tag = "Health", security(()),
    responses((status = 200, description = "It can.", body = Health)))]
async fn ready(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    let troubles = readiness::troubles(&state).await;
    state.told().tell(&troubles, state.now());
    if troubles.is_empty() {
        return Ok(Health::ok(readiness::remarks(&state)));
    }
    let told = |Trouble { part, detail }: &Trouble| FieldError::new(format!("/{part}"), detail);
    Err(Problem::unready(troubles.iter().map(told).collect()))
}

/// Figures for Prometheus
///
/// Needs no key: keep it from the public with the proxy in front.
#[utoipa::path(get, path = "/metrics", tag = "Health", security(()),
    responses((status = 200, description = "The text format, 0.0.4.", body = String,
        content_type = "text/plain")))]
async fn figures() -> Response {
    let text = meters::recorder().map(|recorder| recorder.render()).unwrap_or_default();
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, format)], text).into_response()
}
