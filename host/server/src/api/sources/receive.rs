//! `POST /v1/sources/{id}/events`: where other programs post what they have to say. No API
//! key is asked for; the source's secret is.

use alerts_domain::id::{EventId, SourceId};
use alerts_sources::{Incoming, NotTaken, Received};
use axum::Json;
use axum::extract::{Request, State};
use http::StatusCode;
use serde::Serialize;

use super::{KIND, TAG};
use crate::api::body::{self, media_type};
use crate::api::path::PathId;
use crate::api::problem::{Kind, Problem};
use crate::limits::Whole;
use crate::pace::TooMany;
use crate::state::AppState;

/// Largest request, in bytes: four times the largest event, since a mapping makes less of it,
/// and room for what GitLab tells of a thousand jobs.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

/// What became of a request to a webhook in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReceivedRequest {
    /// The event's id here; that of the first one when it is a duplicate, and null when the
    /// request was ignored.
    event_id: Option<EventId>,
    /// Whether the event was known already; nothing is sent for it again.
    duplicate: bool,
    /// Why no event was made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<String>,
}

impl From<Received> for ReceivedRequest {
    fn from(received: Received) -> Self {
        match received {
            Received::Taken(accepted) => {
                Self { event_id: Some(accepted.id), duplicate: accepted.duplicate, ignored: None }
            }
            Received::Ignored(why) => Self { event_id: None, duplicate: false, ignored: Some(why) },
        }
    }
}

/// Post to a webhook in
///
/// For the sender that the source was made for, in its own words. Needs no API key: the sender
/// shows that it knows the source's secret, by a signature or by sending it.
///
/// 202 means that the event is on the disk, or that the request is about nothing that becomes
/// an event (`ignored` says why). Repeating is safe: the same happening makes the same event.
#[utoipa::path(post, path = "/v1/sources/{id}/events", tag = TAG, security(()),
    params(("id" = String, Path, description = "Of a webhook in.")),
    request_body(content = Object, description = "JSON in the sender's own words."),
    responses((status = 202, description = "It was taken.", body = ReceivedRequest)))]
pub(super) async fn post_to_source(
    State(state): State<AppState>,
    PathId(id): PathId<SourceId>,
    request: Request,
) -> Result<(StatusCode, Json<ReceivedRequest>), Problem> {
    let (parts, body) = request.into_parts();
    let now = state.engine().clock().monotonic();
    state.source_pace().begin(id, now).map_err(|TooMany| {
        let detail =
            format!("too many requests come to the source {id}; send them again in a while");
        Problem::new(Kind::TooManyRequests, detail)
    })?;
    if media_type(&parts.headers).as_deref() == Some("application/x-www-form-urlencoded") {
        let detail = "the body is a form; set the content type to `application/json` where the \
                      webhook is set up";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    let limit = MAX_REQUEST_BYTES;
    let Whole { bytes, share: _share } = body::read(body, &state, limit, "a request").await?;
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let query = query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let request = Incoming { headers: parts.headers, query, body: bytes };
    let received = state.webhook_sources().receive(id, &request).await.map_err(problem)?;
    Ok((StatusCode::ACCEPTED, Json(received.into())))
}

/// Why a request was not taken, as its sender is told.
pub(super) fn problem(error: NotTaken) -> Problem {
    match error {
        NotTaken::NoSource(id) => Problem::new(Kind::NotFound, format!("there is no {KIND} {id}")),
        NotTaken::NotProven(detail) => Problem::new(Kind::NotProven, detail),
        NotTaken::Invalid(errors) => Problem::invalid(errors),
        NotTaken::Engine(error) => error.into(),
        NotTaken::Secret(..) => {
            tracing::error!(%error, "a request to a source could not be looked at");
            Problem::internal()
        }
    }
}
