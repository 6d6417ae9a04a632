//! `POST /v1/webhooks/{id}/rotate-secret`.

use alerts_domain::Timestamp;
use alerts_domain::id::EndpointId;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::TAG;
use crate::api::body::OptionalJsonBody;
use crate::api::caller::Editor;
use crate::api::idempotency::{Answer, Once};
use crate::api::path::PathId;
use crate::api::problem::Problem;
use crate::state::AppState;

/// A new signing secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RotatedSecret {
    /// Shown this once.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    /// Until then the old secret signs as well.
    #[schema(value_type = String, format = DateTime)]
    previous_secret_valid_until: Timestamp,
}

/// Rotate the signing secret
///
/// Makes a new one. Until the grace period is over, deliveries are signed with
/// both, so that receivers can change keys without refusing anything.
#[utoipa::path(post, path = "/v1/webhooks/{id}/rotate-secret", tag = TAG,
    params(("id" = EndpointId, Path),
        ("idempotency-key" = Option<String>, Header, description = "Makes repeating safe.")),
    responses((status = 200, description = "The new secret.", body = RotatedSecret)))]
pub(super) async fn rotate_webhook_secret(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<EndpointId>,
    once: Once,
    body: OptionalJsonBody<Nothing>,
) -> Result<Response, Problem> {
    let (engine, as_actor) = (state.engine().clone(), actor.clone());
    let work = async move {
        let rotated = engine.endpoints().rotate_secret(&as_actor, id).await;
        let (secret, until) = rotated.map_err(|error| Problem::of_change(error, id))?;
        let view = RotatedSecret {
            secret: secret.expose().to_owned(),
            previous_secret_valid_until: until,
        };
        Answer::json(StatusCode::OK, &view)
    };
    once.answer(&state, &actor, &body.raw, work).await
}

/// No body, or `{}`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}
