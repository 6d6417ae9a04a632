//! `POST /v1/webhooks/{id}/test`.

use alerts_domain::id::EndpointId;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::TAG;
use super::rotate::Nothing;
use crate::api::body::OptionalJsonBody;
use crate::api::caller::Editor;
use crate::api::deliveries::DeliveryView;
use crate::api::idempotency::{Answer, Once};
use crate::api::path::PathId;
use crate::api::problem::Problem;
use crate::state::AppState;

/// Send a test alert
///
/// Now, through the real path, once. Answers with the delivery and its one
/// attempt, whatever the target said: look at `status` and `attempts[0]`.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", tag = TAG,
    params(("id" = EndpointId, Path),
        ("idempotency-key" = Option<String>, Header, description = "Makes repeating safe.")),
    responses((status = 200, description = "What became of it.", body = DeliveryView)))]
pub(super) async fn test_webhook(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<EndpointId>,
    once: Once,
    body: OptionalJsonBody<Nothing>,
) -> Result<Response, Problem> {
    let (engine, as_actor) = (state.engine().clone(), actor.clone());
    let work = async move {
        let sent = engine.try_out().send_test(&as_actor, id).await;
        let (delivery, attempt) = sent.map_err(|error| Problem::of_change(error, id))?;
        Answer::json(StatusCode::OK, &DeliveryView::with_attempts(delivery, vec![attempt]))
    };
    once.answer(&state, &actor, &body.raw, work).await
}
