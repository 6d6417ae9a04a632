//! The HTTP API: which paths there are, and what surrounds them all.
//!
//! One folder for each group of endpoints, one file for each endpoint that is
//! more than a few lines. Handlers read a request, ask the engine or the store,
//! and write an answer; they decide nothing else.

pub(crate) mod alert_rules;
mod api_keys;
mod audit;
pub(crate) mod body;
pub(crate) mod caller;
mod checked;
mod dashboard;
mod deliveries;
mod events;
mod front;
mod health;
mod hosts;
pub(crate) mod idempotency;
mod openapi;
mod page;
mod patch;
mod path;
mod plain;
mod plugins;
mod portal_links;
mod problem;
mod proxy;
mod query;
mod session;
mod sources;
mod stats;
mod stream;
mod tenants;
mod version;
mod webhooks;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use self::problem::{Kind, Problem};
use crate::state::AppState;

/// All routes.
pub(crate) fn router(state: AppState) -> Router {
    let (routes, document) = described_routes();
    routes
        .merge(openapi::routes(&document))
        .merge(dashboard::routes(state.site()))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn_with_state(state.clone(), front::front))
        .with_state(state)
}

/// The API's description (OpenAPI 3.1), as a host serves it.
pub(crate) fn description() -> String {
    described_routes().1
}

fn described_routes() -> (Router<AppState>, String) {
    let (routes, document) = OpenApiRouter::with_openapi(openapi::frame())
        .merge(webhooks::routes())
        .merge(alert_rules::routes())
        .merge(events::routes())
        .merge(deliveries::routes())
        .merge(stats::routes())
        .merge(stream::routes())
        .merge(audit::routes())
        .merge(plugins::routes())
        .merge(api_keys::routes())
        .merge(tenants::routes())
        .merge(hosts::routes())
        .merge(sources::routes())
        .merge(session::routes())
        .merge(portal_links::routes())
        .merge(health::routes())
        .split_for_parts();
    (routes, openapi::finished(document))
}

async fn unknown_path(request: Request) -> Problem {
    let path = request.uri().path();
    Problem::new(Kind::NotFound, format!("there is nothing at {path}; /docs lists what there is"))
}

async fn unknown_method(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    let detail = format!("{path} does not take {method}; the header `allow` says what it takes");
    Problem::new(Kind::MethodNotAllowed, detail)
}
