//! The host's types as contract version 1 has them, and back. Borrowed on the
//! way in: nothing is copied but into the guest.

use alerts_domain::exchange::{Exchange, Outcome, Request, Step, TransportError, Verdict};
use alerts_domain::header::Headers;
use bytes::Bytes;

use super::bindings::target::exports::exosphere::alerts::adapter as wit;
use crate::delivery::TargetDelivery;

/// Headers in the form in which they can be lent.
type Pairs<'a> = Vec<(&'a str, &'a str)>;

fn pairs(headers: &Headers) -> Pairs<'_> {
    headers.iter().collect()
}

/// Lends a delivery and its exchanges to `call`.
pub(super) fn with_call<R>(
    delivery: &TargetDelivery,
    exchanges: &[Exchange],
    call: impl FnOnce(wit::Delivery<'_>, &[wit::Exchange<'_>]) -> R,
) -> R {
    let headers = pairs(&delivery.endpoint.headers);
    let secrets: Vec<_> = delivery
        .endpoint
        .secrets
        .iter()
        .map(|(name, reference)| wit::SecretRef { name, reference })
        .collect();
    let lists: Vec<(Pairs<'_>, Pairs<'_>)> = exchanges
        .iter()
        .map(|exchange| {
            let answered = match &exchange.outcome {
                Outcome::Response(response) => pairs(&response.headers),
                Outcome::Failed(_) => Vec::new(),
            };
            (pairs(&exchange.request.headers), answered)
        })
        .collect();
    let exchanges: Vec<_> = exchanges
        .iter()
        .zip(&lists)
        .map(|(exchange, (sent, answered))| wit::Exchange {
            request: request(&exchange.request, sent),
            outcome: outcome(&exchange.outcome, answered),
        })
        .collect();
    let endpoint = wit::Endpoint {
        url: &delivery.endpoint.url,
        settings: &delivery.endpoint.settings,
        headers: &headers,
        secrets: &secrets,
        extensions: &[],
    };
    let delivery = wit::Delivery {
        id: &delivery.id,
        attempt: delivery.attempt,
        now: delivery.now_ms,
        seed: delivery.seed,
        alert: &delivery.alert,
        endpoint,
        extensions: &[],
    };
    call(delivery, &exchanges)
}

fn request<'a>(request: &'a Request, headers: &'a Pairs<'a>) -> wit::RequestParam<'a> {
    wit::RequestParam {
        method: &request.method,
        url: &request.url,
        headers,
        body: &request.body,
        sign: request.sign,
        extensions: &[],
    }
}

fn outcome<'a>(outcome: &'a Outcome, headers: &'a Pairs<'a>) -> wit::Outcome<'a> {
    match outcome {
        Outcome::Response(response) => wit::Outcome::Response(wit::Response {
            status: response.status,
            headers,
            body: &response.body,
            truncated: response.truncated,
            extensions: &[],
        }),
        Outcome::Failed(error) => wit::Outcome::Failed(match error {
            TransportError::Dns(detail) => wit::TransportError::Dns(detail),
            TransportError::Connect(detail) => wit::TransportError::Connect(detail),
            TransportError::Tls(detail) => wit::TransportError::Tls(detail),
            TransportError::Timeout(detail) => wit::TransportError::Timeout(detail),
            TransportError::Forbidden(detail) => wit::TransportError::Forbidden(detail),
            TransportError::Protocol(detail) => wit::TransportError::Protocol(detail),
        }),
    }
}

/// What the adapter answered.
pub(super) fn step(step: wit::Step) -> Step {
    match step {
        wit::Step::Send(request) => Step::Send(wanted(request)),
        wit::Step::SendLast(request) => Step::SendLast(wanted(request)),
        wit::Step::Done(verdict) => Step::Done(match verdict {
            wit::Verdict::Delivered(note) => Verdict::Delivered(note),
            wit::Verdict::Retry(wit::Retry { after_ms, reason }) => {
                Verdict::Retry { after_ms, reason }
            }
            wit::Verdict::Rejected(reason) => Verdict::Rejected(reason),
            wit::Verdict::Gone(reason) => Verdict::Gone(reason),
        }),
    }
}

fn wanted(request: wit::RequestResult) -> Request {
    Request {
        method: request.method,
        url: request.url,
        headers: request.headers.into_iter().collect(),
        body: Bytes::from(request.body),
        sign: request.sign,
    }
}

/// The text and bytes in an answer.
pub(super) fn step_bytes(step: &Step) -> usize {
    match step {
        Step::Send(request) | Step::SendLast(request) => {
            let headers = request.headers.iter().map(|(name, value)| name.len() + value.len());
            request.method.len() + request.url.len() + request.body.len() + headers.sum::<usize>()
        }
        Step::Done(Verdict::Delivered(note)) => note.as_ref().map_or(0, String::len),
        Step::Done(
            Verdict::Retry { reason, .. } | Verdict::Rejected(reason) | Verdict::Gone(reason),
        ) => reason.len(),
    }
}
