//! `POST /v1/webhooks/{id}/preview`.

use alerts_domain::api_key::Role;
use alerts_domain::event::Event;
use alerts_domain::exchange::{Request, Verdict};
use alerts_domain::header::Headers;
use alerts_domain::id::EndpointId;
use alerts_domain::signature::SIGNATURE_HEADER;
use alerts_engine::Preview;
use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::TAG;
use crate::api::body::OptionalJsonBody;
use crate::api::caller::Caller;
use crate::api::path::PathId;
use crate::api::problem::{FieldErrors, Problem};
use crate::state::AppState;

/// The headers that sign a request.
const SIGNATURES: [&str; 2] = [SIGNATURE_HEADER, "webhook-signature"];
/// What a viewer sees of them.
const PLACEHOLDER: &str = "(shown to editors)";

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

/// The event that was given, if it is one.
pub(super) fn event_of(given: Option<Box<RawValue>>) -> Result<Option<Event>, Problem> {
    let read = |json: Box<RawValue>| {
        Event::from_structured(Bytes::copy_from_slice(json.get().as_bytes())).map_err(|errors| {
            Problem::invalid(
                errors.into_iter().map(|error| error.under("/event")).collect::<FieldErrors>(),
            )
        })
    };
    given.map(read).transpose()
}

/// Preview an alert
///
/// The exact request that would be sent for an event. Sends nothing. The signature
/// in it is valid for whoever may send alerts, an editor; a viewer sees a placeholder.
#[utoipa::path(post, path = "/v1/webhooks/{id}/preview", tag = TAG,
    params(("id" = EndpointId, Path)), request_body = PreviewRequest,
    responses((status = 200, description = "What would be sent.", body = PreviewView)))]
pub(super) async fn preview_webhook(
    State(state): State<AppState>,
    caller: Caller,
    PathId(id): PathId<EndpointId>,
    body: OptionalJsonBody<PreviewRequest>,
) -> Result<Json<PreviewView>, Problem> {
    let actor = caller.act(Role::Viewer)?;
    let event = event_of(body.value.and_then(|request| request.event))?;
    let preview = state.engine().try_out().preview(&actor, id, event).await;
    let mut preview = preview.map_err(|error| Problem::of_change(error, id))?;
    if let Preview::Request { request, .. } = &mut preview
        && caller.require(Role::Editor).is_err()
    {
        request.headers = without_signature(&request.headers);
    }
    Ok(Json(preview.into()))
}

/// The headers with something else in place of the signatures: who cannot change an
/// endpoint cannot send in its name either.
fn without_signature(headers: &Headers) -> Headers {
    let mut shown = Headers::default();
    for (name, value) in headers.iter() {
        shown.push(name, if SIGNATURES.contains(&name) { PLACEHOLDER } else { value });
    }
    shown
}

#[cfg(test)]
mod tests {
    use alerts_domain::Timestamp;
    use alerts_domain::secret::Secret;
    use alerts_domain::signature;

    use super::*;

    #[test]
    fn of_all_that_signs_a_request_only_id_and_time_are_left() {
        let secrets = [Secret::new("a secret of the test"), Secret::new("another of the test")];
        let now = Timestamp::UNIX_EPOCH;
        let signed = signature::headers(secrets.iter(), "dlv_1", now, b"body");
        let shown = without_signature(&signed);
        let differing = signed.iter().zip(shown.iter()).filter(|(before, after)| before != after);
        assert_eq!(differing.count(), SIGNATURES.len());
        for (name, value) in shown.iter() {
            let is_known = ["dlv_1", "0", PLACEHOLDER].contains(&value);
            assert!(is_known, "{name} is shown as {value}");
        }
    }
}
