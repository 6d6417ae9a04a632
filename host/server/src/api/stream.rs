//! What happens to a namespace, told while it happens: server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use alerts_engine::{Message, Subscription, Told};
use alerts_store::News;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::Viewer;
use super::problem::{Kind, Problem};
use crate::state::AppState;

/// Names the last message that a client has seen.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Between two comments while there is nothing to tell: common proxies close a connection
/// on which nothing moves for a minute, some after thirty seconds.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After so long a stream ends, and the client comes back with its key: one that was
/// revoked sees no more than this.
const LASTS: Duration = Duration::from_secs(5 * 60);
/// How long a client waits before it comes back.
const COME_BACK_AFTER: Duration = Duration::from_secs(1);
/// Asks proxies that gather answers (nginx) to pass each message on at once.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(watch))
}

/// Watch what happens
///
/// Server-sent events, whichever host the change was made on. `event` names what has changed:
/// `event` (one was stored), `delivery` (one was made, or stands otherwise), `rule` and
/// `endpoint` (one was made, changed, switched off or deleted), each with the `id` and what a row
/// of a list shows. What is absent is as it was. Of several changes of one thing within a moment
/// the last one is told. That a delivery is `leased` is told with a new one alone.
///
/// `reset` says: something may have been missed, read everything anew that you show. It comes first,
/// and again some seconds after the first one of a namespace; when more happens at once than is told
/// one by one; and when `Last-Event-ID` names a message that this host does not remember. It remembers
/// the last 512, for a minute after the last one has left.
///
/// Every 15 seconds there is a comment. After five minutes, when a client does not keep up, and when the
/// host stops, the stream ends; come back with `Last-Event-ID`, as an `EventSource` does by itself.
#[utoipa::path(get, path = "/v1/stream", tag = "Stream",
    params(("last-event-id" = Option<String>, Header, description = "Go on after this message.")),
    responses((status = 200, description = "The messages.", body = String,
        content_type = "text/event-stream")))]
async fn watch(
    State(state): State<AppState>,
    Viewer(actor): Viewer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let after = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let subscription = state.engine().streams().subscribe(&actor.tenant, after).await?;
    let subscription =
        subscription.map_err(|too_many| Problem::new(Kind::Unavailable, too_many.to_string()))?;
    let first = Event::default().retry(COME_BACK_AFTER).comment("watching");
    let rest = messages(subscription, state.stopping().clone());
    let all = stream::iter([Ok(first)]).chain(rest);
    let answer = Sse::new(all).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(([UNBUFFERED], answer).into_response())
}

fn messages(
    subscription: Subscription,
    stopping: CancellationToken,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let ends_at = Instant::now() + LASTS;
    stream::unfold((subscription, stopping), move |(mut subscription, stopping)| async move {
        let message = tokio::select! {
            biased;
            () = stopping.cancelled() => None,
            () = sleep_until(ends_at) => None,
            message = subscription.next() => message,
        }?;
        Some((Ok(written(&message)), (subscription, stopping)))
    })
}

fn written(message: &Message) -> Event {
    let event = Event::default().id(&*message.id);
    let (name, data) = match &message.told {
        Told::Reset => ("reset", "{}".to_owned()),
        Told::News(news) => {
            let name = match **news {
                News::Event { .. } => "event",
                News::Delivery(_) => "delivery",
                News::Rule { .. } => "rule",
                News::Endpoint { .. } => "endpoint",
                News::TooMany => "reset",
            };
            (name, serde_json::to_string(news).unwrap_or_default())
        }
    };
    event.event(name).data(data)
}
