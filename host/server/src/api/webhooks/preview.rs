//! `POST /v1/webhooks/{id}/preview`.

use alerts_domain::event::Event;
use alerts_domain::exchange::{Request, Verdict};
use alerts_domain::id::EndpointId;
use alerts_engine::Preview;
use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::TAG;
use crate::api::body::OptionalJsonBody;
use crate::api::caller::Viewer;
use crate::api::path::PathId;
use crate::api::problem::Problem;
use crate::state::AppState;

/// What to preview.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"event": {
    "specversion": "1.0", "id": "1", "source": "/v0/namespace/payments",
    "type": "workflow.failed", "data": {"graph_name": "nightly-etl"}
}}))]
pub(super) struct PreviewRequest {
    /// A CloudEvent; a sample when absent.
    #[schema(value_type = Option<Object>)]
    event: Option<Box<RawValue>>,
}

/// What would be sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Preview)]
pub(super) struct PreviewView {
    /// The requests, with references in place of secrets: the first one of an
    /// attempt. Later ones depend on what the target answers.
    #[schema(value_type = Vec<Object>)]
    requests: Vec<Request>,
    /// Whether the adapter looks at the answer and may send more.
    asks_again: bool,
    /// How the attempt ends when nothing would be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// Why, when nothing would be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<Preview> for PreviewView {
    fn from(preview: Preview) -> Self {
        match preview {
            Preview::Request { request, asks_again } => {
                Self { requests: vec![request], asks_again, verdict: None, reason: None }
            }
            Preview::Verdict(verdict) => Self {
                requests: Vec::new(),
                asks_again: false,
                verdict: Some(verdict.word()),
                reason: match verdict {
                    Verdict::Delivered(message) => message,
                    Verdict::Retry { reason, .. }
                    | Verdict::Rejected(reason)
                    | Verdict::Gone(reason) => Some(reason),
                },
            },
        }
    }
}

/// Preview an alert
///
/// The exact request that would be sent for an event. Sends nothing.
#[utoipa::path(post, path = "/v1/webhooks/{id}/preview", tag = TAG,
    params(("id" = EndpointId, Path)), request_body = PreviewRequest,
    responses((status = 200, description = "What would be sent.", body = PreviewView)))]
pub(super) async fn preview_webhook(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    PathId(id): PathId<EndpointId>,
    body: OptionalJsonBody<PreviewRequest>,
) -> Result<Json<PreviewView>, Problem> {
    let given = body.value.and_then(|request| request.event);
    let read = |json: Box<RawValue>| {
        Event::from_structured(Bytes::copy_from_slice(json.get().as_bytes())).map_err(|errors| {
            Problem::invalid(errors.into_iter().map(|error| error.under("/event")).collect())
        })
    };
    let event = given.map(read).transpose()?;
    let preview = state.engine().try_out().preview(&actor, id, event).await;
    Ok(Json(preview.map_err(|error| Problem::of_change(error, id))?.into()))
}
