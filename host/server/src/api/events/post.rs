//! `POST /v1/events`: the busiest path of all. The body is read once, parsed
//! once, and answered when it is on the disk.

use alerts_domain::api_key::Role;
use alerts_domain::event::{Event, MAX_BATCH_EVENTS, MAX_EVENT_BYTES};
use alerts_domain::id::EventId;
use alerts_domain::json;
use alerts_domain::tenant::TenantId;
use alerts_engine::Accepted;
use axum::Json;
use axum::extract::{Request, State};
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use super::TAG;
use super::mode::{self, Mode};
use crate::api::body;
use crate::api::caller::Caller;
use crate::api::problem::{FieldErrors, Problem};
use crate::limits::Whole;
use crate::state::AppState;

/// Largest batch, in bytes: a thousand events of the usual size, several times.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// For a list that comes as one event.
const LIST_ADVICE: &str = "is a list; send `content-type: application/cloudevents-batch+json` \
    with it";

/// What became of the events.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AcceptedEvents {
    /// How many are new.
    #[schema(example = 1)]
    accepted: usize,
    /// How many were known already; nothing is sent for them again.
    #[schema(example = 0)]
    duplicates: usize,
    /// Each of them, in the order in which they were posted.
    events: Vec<AcceptedEvent>,
}

/// What became of one event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AcceptedEvent {
    /// The id it has here; that of the first one when it is a duplicate.
    id: EventId,
    /// The emitter's id.
    event_id: String,
    /// Whether it was known already.
    duplicate: bool,
}

impl From<Vec<Accepted>> for AcceptedEvents {
    fn from(events: Vec<Accepted>) -> Self {
        let duplicates = events.iter().filter(|event| event.duplicate).count();
        let one = |Accepted { id, event_id, duplicate }| AcceptedEvent { id, event_id, duplicate };
        Self {
            accepted: events.len() - duplicates,
            duplicates,
            events: events.into_iter().map(one).collect(),
        }
    }
}

/// Post events
///
/// One CloudEvent 1.0 in structured mode, one in binary mode (attributes in
/// `ce-` headers, `data` in the body), or a batch. All are accepted, or none.
/// An answer of 202 means that they are on the disk. Repeating is safe: an
/// event is known by its `source` and `id`.
///
/// In binary mode a body of JSON becomes `data`, one of `text/*` a string in it,
/// and any other `data_base64`. What the platform's own webhook sent on a failed
/// run (`{"event", "namespace", "graph_name", "run_id", "failed_state_id",
/// "node_name", "error", "timestamp"}`) is taken as a `workflow.failed`.
///
/// Needs a platform key, or an editor's for its own namespace. With a platform
/// key, the event's attribute `namespace` or the header `x-exosphere-namespace`
/// says whose events they are.
#[utoipa::path(post, path = "/v1/events", tag = TAG,
    request_body(description = "One event, or a list of them.", content(
        (Object = "application/cloudevents+json", example = json!({
            "specversion": "1.0",
            "id": "5f0c1f5e-1d0b-4a46-a1f5-4b7d3f6a2c11/failed/1",
            "source": "/v0/namespace/payments",
            "type": "workflow.failed",
            "subject": "graph/nightly-etl/run/5f0c1f5e-1d0b-4a46-a1f5-4b7d3f6a2c11",
            "time": "2026-01-31T02:10:07Z",
            "namespace": "payments",
            "data": {
                "namespace": "payments",
                "graph_name": "nightly-etl",
                "run_id": "5f0c1f5e-1d0b-4a46-a1f5-4b7d3f6a2c11",
                "status": "FAILED",
                "created_at": "2026-01-31T02:00:00Z",
                "finished_at": "2026-01-31T02:10:07Z",
                "duration_ms": 607000,
                "success_count": 11,
                "pending_count": 0,
                "errored_count": 4,
                "retried_count": 2,
                "total_count": 15,
                "node_name": "load-warehouse"
            }
        })),
        (Vec<Object> = "application/cloudevents-batch+json"),
    )),
    responses((status = 202, description = "They are on the disk.", body = AcceptedEvents)))]
pub(super) async fn post_events(
    State(state): State<AppState>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<AcceptedEvents>), Problem> {
    caller.require(Role::Editor)?;
    let (parts, body) = request.into_parts();
    let mode = Mode::of(&parts.headers)?;
    let (limit, what) = match mode {
        Mode::Batch => (MAX_BATCH_BYTES, "a batch of events"),
        Mode::Structured | Mode::Binary => (MAX_EVENT_BYTES, "an event"),
    };
    let Whole { bytes: body, share: _share } = body::read(body, &state, limit, what).await?;
    let events = match mode {
        Mode::Batch => read_batch(&body, &caller)?,
        Mode::Structured => {
            let is_list = json::without_byte_order_mark(&body).trim_ascii_start().starts_with(b"[");
            let event = Event::from_structured(body).map_err(|errors| match is_list {
                true => Problem::field("", LIST_ADVICE),
                false => Problem::invalid(errors),
            })?;
            vec![owned(event, &caller)?]
        }
        Mode::Binary => {
            let attributes =
                mode::attributes(&parts.headers).map_err(|error| Problem::invalid(vec![error]))?;
            let content_type = mode::data_content_type(&parts.headers);
            let event = Event::from_binary(attributes, content_type, &body);
            let event = event.map_err(Problem::invalid)?;
            if event.body.len() > MAX_EVENT_BYTES {
                return Err(Problem::too_large(format!(
                    "an event may be at most {MAX_EVENT_BYTES} bytes, with its attributes, and with \
                     Base64 in place of what is neither JSON nor text"
                )));
            }
            vec![owned(event, &caller)?]
        }
    };
    let accepted = state.engine().intake().accept(events).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted.into())))
}

/// The event with its tenant.
fn owned(event: Event, caller: &Caller) -> Result<(TenantId, Event), Problem> {
    let tenant = caller.tenant_of_event(event.namespace.as_ref())?;
    Ok((tenant, event))
}

fn read_batch(body: &[u8], caller: &Caller) -> Result<Vec<(TenantId, Event)>, Problem> {
    let items = body::items(json::without_byte_order_mark(body))?;
    if items.len() > MAX_BATCH_EVENTS {
        return Err(Problem::too_large(format!(
            "a batch may hold at most {MAX_BATCH_EVENTS} events; this one holds {}",
            items.len()
        )));
    }
    let mut events = Vec::with_capacity(items.len());
    let mut problems = FieldErrors::default();
    for (index, item) in items.into_iter().enumerate() {
        let item = item.get().as_bytes();
        if item.len() > MAX_EVENT_BYTES {
            return Err(Problem::too_large(format!(
                "an event may be at most {MAX_EVENT_BYTES} bytes; number {index} in the batch, \
                 counted from 0, is {} bytes",
                item.len()
            )));
        }
        // Copied: else one event that waits would keep the whole batch in memory.
        match Event::from_structured(Bytes::copy_from_slice(item)) {
            Ok(event) => match owned(event, caller) {
                Ok(event) => events.push(event),
                Err(problem) => return Err(problem.under(&format!("/{index}"))),
            },
            Err(errors) => {
                let prefix = format!("/{index}");
                problems.extend(errors.into_iter().map(|error| error.under(&prefix)));
            }
        }
    }
    if problems.count() == 0 { Ok(events) } else { Err(Problem::invalid(problems)) }
}
