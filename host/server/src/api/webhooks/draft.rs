//! `POST /v1/webhooks/check`, `…/preview` and `…/test`: trying a webhook endpoint out before it
//! is saved.

use alerts_domain::id::EndpointId;
use alerts_engine::{ChangeError, Draft, DraftTest};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::TAG;
use super::create::NewWebhookEndpoint;
use super::preview::{PreviewView, event_of};
use super::update::WebhookEndpointPatch;
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::checked::Checked;
use crate::api::deliveries::AttemptView;
use crate::api::problem::Problem;
use crate::state::AppState;

/// A webhook endpoint that is not saved: a new one, or one that is stored with a change.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"webhook": {"name": "On-call", "target_url": "https://example.com/hook"}}))]
pub(super) struct WebhookDraft {
    /// A new one, as on create. Nothing of the next two beside it.
    webhook: Option<NewWebhookEndpoint>,
    /// One that is stored. What `changes` does not name is as it is stored, secrets too.
    webhook_endpoint_id: Option<EndpointId>,
    /// What would be changed about it, as on change.
    changes: Option<WebhookEndpointPatch>,
    /// For a preview: a CloudEvent; a sample when absent.
    #[schema(value_type = Option<Object>)]
    event: Option<Box<RawValue>>,
}

/// A draft for the engine, and where it stands in the request.
struct Asked {
    draft: Draft,
    place: Place,
}

/// Where a draft stands in the request.
#[derive(Clone, Copy)]
enum Place {
    Webhook,
    Changes(EndpointId),
}

impl Place {
    /// What is wrong with the draft, as the caller sees it.
    fn refused(self, error: ChangeError) -> Problem {
        match (self, error) {
            (Self::Webhook, error) => error.under("/webhook").into(),
            (Self::Changes(id), ChangeError::NotFound(kind)) => Problem::not_found(kind, id),
            (Self::Changes(_), error) => error.under("/changes").into(),
        }
    }
}

impl WebhookDraft {
    fn without_event(&self) -> Result<(), Problem> {
        let detail = "only a preview is about an event that is given; leave it out";
        self.event.as_ref().map_or(Ok(()), |_| Err(Problem::field("/event", detail)))
    }

    fn asked(self, state: &AppState) -> Result<Asked, Problem> {
        let both = "name either a new `webhook`, or a stored one with `webhook_endpoint_id` and \
                    the `changes` to it";
        match (self.webhook, self.webhook_endpoint_id, self.changes) {
            (Some(webhook), None, None) => {
                let draft = webhook.draft(state.engine().plugins());
                let draft = draft.map_err(|problem| problem.under("/webhook"))?;
                Ok(Asked { draft: Draft::New(Box::new(draft)), place: Place::Webhook })
            }
            (None, Some(id), Some(changes)) => {
                let patch = changes.patch().map_err(|problem| problem.under("/changes"))?;
                let draft = Draft::Changed { id, patch: Box::new(patch) };
                Ok(Asked { draft, place: Place::Changes(id) })
            }
            _ => Err(Problem::field("", both)),
        }
    }
}

/// What became of a test alert that was sent to a draft. It is stored nowhere.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DraftTest)]
pub(super) struct DraftTestView {
    /// Whether the target took it.
    is_delivered: bool,
    /// What was sent and answered.
    attempt: AttemptView,
}

impl From<DraftTest> for DraftTestView {
    fn from(test: DraftTest) -> Self {
        Self { is_delivered: test.is_delivered, attempt: test.attempt.into() }
    }
}

/// Check a webhook endpoint before it is saved
///
/// As if it were saved now: what would keep it from being saved is told in the same way. Of a
/// change, the answer names the fields that it would make different; of secrets it says that
/// they are others, and no more. Sends nothing and stores nothing.
#[utoipa::path(post, path = "/v1/webhooks/check", tag = TAG, request_body = WebhookDraft,
    responses((status = 200, description = "It can be saved.", body = Checked)))]
pub(super) async fn check_draft_webhook(
    State(state): State<AppState>,
    Editor(actor): Editor,
    body: JsonBody<WebhookDraft>,
) -> Result<Json<Checked>, Problem> {
    body.value.without_event()?;
    let Asked { draft, place } = body.value.asked(&state)?;
    let changed = state.engine().endpoints().check_draft(&actor, draft).await;
    Ok(Json(Checked { changed: changed.map_err(|error| place.refused(error))? }))
}

/// Preview an alert of a webhook endpoint that is not saved yet
///
/// The exact request that would be sent if it were saved as it is. What would keep it from being
/// saved is told in the same way. Sends nothing and stores nothing. Where a new one has no
/// `secret`, it is signed with one that nobody knows: its own is made when it is saved.
#[utoipa::path(post, path = "/v1/webhooks/preview", tag = TAG, request_body = WebhookDraft,
    responses((status = 200, description = "What would be sent.", body = PreviewView)))]
pub(super) async fn preview_draft_webhook(
    State(state): State<AppState>,
    Editor(actor): Editor,
    body: JsonBody<WebhookDraft>,
) -> Result<Json<PreviewView>, Problem> {
    let mut asked = body.value;
    let event = event_of(asked.event.take())?;
    let Asked { draft, place } = asked.asked(&state)?;
    let preview = state.engine().try_out().preview_draft(&actor, draft, event).await;
    Ok(Json(preview.map_err(|error| place.refused(error))?.into()))
}

/// Send a test alert to a webhook endpoint that is not saved yet
///
/// Now, once, under all that holds for one that is saved. What would keep it from being saved is
/// told in the same way. Neither the endpoint nor its secrets nor the alert are stored; the audit
/// log says that it was tried, and towards which host.
#[utoipa::path(post, path = "/v1/webhooks/test", tag = TAG, request_body = WebhookDraft,
    responses((status = 200, description = "What became of it.", body = DraftTestView)))]
pub(super) async fn test_draft_webhook(
    State(state): State<AppState>,
    Editor(actor): Editor,
    body: JsonBody<WebhookDraft>,
) -> Result<Json<DraftTestView>, Problem> {
    body.value.without_event()?;
    let Asked { draft, place } = body.value.asked(&state)?;
    let sent = state.engine().try_out().test_draft(&actor, draft).await;
    Ok(Json(sent.map_err(|error| place.refused(error))?.into()))
}
