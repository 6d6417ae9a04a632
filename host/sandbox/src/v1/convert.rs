//! The host's types as contract version 1 has them, and back. Borrowed on the
//! way in: nothing is copied but into the guest. On the way back nothing passes
//! that is more than a call may return, and no text but through [`said`].

use alerts_domain::exchange::{Exchange, Outcome, Request, Step, TransportError, Verdict};
use alerts_domain::header::Headers;
use alerts_domain::problem::FieldError;
use bytes::Bytes;

use super::bindings::condition::exports::exosphere::alerts::language;
use super::bindings::target::exports::exosphere::alerts::adapter as wit;
use crate::delivery::TargetDelivery;
use crate::diagnostic::Diagnostic;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::said;

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

/// What the adapter answered, unless that is more than it may return.
pub(super) fn step(step: wit::Step, limits: &Limits) -> Result<Step, Fault> {
    if step_bytes(&step) > limits.output_bytes {
        return Err(Fault::Output { limit_bytes: limits.output_bytes });
    }
    Ok(match step {
        wit::Step::Send(request) => Step::Send(wanted(request)),
        wit::Step::SendLast(request) => Step::SendLast(wanted(request)),
        wit::Step::Done(verdict) => Step::Done(match verdict {
            wit::Verdict::Delivered(note) => Verdict::Delivered(note.map(said::text)),
            wit::Verdict::Retry(wit::Retry { after_ms, reason }) => {
                Verdict::Retry { after_ms, reason: said::text(reason) }
            }
            wit::Verdict::Rejected(reason) => Verdict::Rejected(said::text(reason)),
            wit::Verdict::Gone(reason) => Verdict::Gone(said::text(reason)),
        }),
    })
}

/// A request leaves as the adapter made it: egress judges it, and what is stored
/// of it is JSON, in which every text has a form.
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
fn step_bytes(step: &wit::Step) -> usize {
    match step {
        wit::Step::Send(request) | wit::Step::SendLast(request) => {
            let headers = request.headers.iter().map(|(name, value)| name.len() + value.len());
            request.method.len() + request.url.len() + request.body.len() + headers.sum::<usize>()
        }
        wit::Step::Done(wit::Verdict::Delivered(note)) => note.as_ref().map_or(0, String::len),
        wit::Step::Done(
            wit::Verdict::Retry(wit::Retry { reason, .. })
            | wit::Verdict::Rejected(reason)
            | wit::Verdict::Gone(reason),
        ) => reason.len(),
    }
}

/// What an adapter finds wrong with settings.
pub(super) fn problems(
    problems: Vec<wit::Problem>,
    limits: &Limits,
) -> Result<Vec<FieldError>, Fault> {
    within(limits.output_bytes, problems.iter().map(|p| p.pointer.len() + p.message.len()))?;
    Ok(said::problems(problems.into_iter().map(|p| (p.pointer, p.message))))
}

/// Why a source does not compile.
pub(super) fn diagnostics(
    diagnostics: Vec<language::Diagnostic>,
    output_bytes: usize,
) -> Result<Vec<Diagnostic>, Fault> {
    within(output_bytes, diagnostics.iter().map(|d| d.message.len()))?;
    Ok(said::diagnostics(diagnostics.into_iter().map(|d| Diagnostic {
        message: d.message,
        offset: d.offset,
        length: d.length,
    })))
}

/// What came of each condition.
pub(super) fn verdicts(
    verdicts: Vec<Result<bool, language::EvalError>>,
    output_bytes: usize,
) -> Result<Vec<Result<bool, String>>, Fault> {
    let messages = verdicts.iter().filter_map(|verdict| verdict.as_ref().err());
    within(output_bytes, messages.map(|error| error.message.len()))?;
    Ok(verdicts.into_iter().map(|v| v.map_err(|error| said::text(error.message))).collect())
}

/// Whether all that was said is within what one call may return.
pub(super) fn within(output_bytes: usize, said: impl Iterator<Item = usize>) -> Result<(), Fault> {
    match said.sum::<usize>() > output_bytes {
        true => Err(Fault::Output { limit_bytes: output_bytes }),
        false => Ok(()),
    }
}
