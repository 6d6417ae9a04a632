//! Its HTTP side: paths, the key, and the errors as they were recorded.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::faults::{internal_error, unauthorized};
use crate::{KEY, Shared};

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v0/namespaces", get(namespaces))
        .route("/v0/namespace/{ns}/runs/{page}/{size}", get(runs))
        .route("/v0/namespace/{ns}/states/run/{run}/graph", get(graph))
        .route("/v0/namespace/{ns}/graph/{graph}/run/{run}/node/{state}", get(node))
        .route("/v0/namespace/{ns}/graph/{graph}/trigger", post(trigger))
        .route("/v0/namespace/{ns}/state/{state}/manual-retry", post(manual_retry))
        .layer(from_fn_with_state(shared.clone(), front))
        .route("/health", get(async || Json(json!({"message": "OK"}))))
        .fallback(async || (StatusCode::NOT_FOUND, Json(json!({"detail": "Not Found"}))))
        .with_state(shared)
}

/// Before all that needs the key.
async fn front(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    shared.requests.fetch_add(1, Ordering::SeqCst);
    if let Some(answer) = shared.fault().answer().await {
        return answer;
    }
    let key = request.headers().get("x-api-key").and_then(|key| key.to_str().ok());
    if key != Some(KEY) {
        return unauthorized();
    }
    let mut answer = next.run(request).await;
    // As the real server does; what does the serving here sends none by itself.
    if let Ok(date) = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string().parse() {
        answer.headers_mut().insert("date", date);
    }
    answer
}

async fn namespaces(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let registered = shared.model().registered.clone();
    Json(json!({"count": registered.len(), "namespaces": registered}))
}

async fn runs(
    State(shared): State<Arc<Shared>>,
    Path((namespace, page, size)): Path<(String, i64, i64)>,
) -> Response {
    match (usize::try_from(page), usize::try_from(size)) {
        (Ok(page @ 1..), Ok(size)) => {
            Json(shared.model().page(&namespace, page, size)).into_response()
        }
        _ => internal_error(),
    }
}

async fn graph(
    State(shared): State<Arc<Shared>>,
    Path((_, run)): Path<(String, String)>,
) -> Json<Value> {
    Json(shared.model().graph(&run))
}

async fn node(
    State(shared): State<Arc<Shared>>,
    Path((_, _, _, state)): Path<(String, String, String, String)>,
) -> Response {
    match shared.model().node(&state) {
        Some(node) => Json(node).into_response(),
        None => {
            let detail = format!("Node {state} not found");
            (StatusCode::NOT_FOUND, Json(json!({"detail": detail}))).into_response()
        }
    }
}

async fn trigger(
    State(shared): State<Arc<Shared>>,
    Path((namespace, graph)): Path<(String, String)>,
) -> Json<Value> {
    let mut model = shared.model();
    let run = model.create_run(&namespace, &graph);
    model.create_state(&run, "Start", None);
    Json(json!({"status": "CREATED", "run_id": run}))
}

async fn manual_retry(
    State(shared): State<Arc<Shared>>,
    Path((_, state)): Path<(String, String)>,
) -> Json<Value> {
    let id = shared.model().retry(&state);
    Json(json!({"id": id, "status": "CREATED"}))
}
