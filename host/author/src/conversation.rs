//! One attempt with answers from anywhere: ask the adapter, answer, ask again,
//! until there is a verdict. The same steps as the engine's.

use alerts_domain::Timestamp;
use alerts_domain::exchange::{Exchange, Outcome, Request, Step, Verdict};
use alerts_sandbox::{CallError, TargetDelivery};

use crate::lab::Lab;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) verdict: Verdict,
    pub(crate) exchanges: Vec<Exchange>,
    /// Whether the verdict is the host's, after a last request.
    pub(crate) by_host: bool,
}

/// Goes through an attempt. `answer` is given how many requests went before,
/// the request, and whether it is the last.
pub(crate) fn converse(
    lab: &Lab,
    delivery: &TargetDelivery,
    now: Timestamp,
    mut answer: impl FnMut(usize, &Request, bool) -> Outcome,
) -> Result<Ended, CallError> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    loop {
        let (request, is_last) = match lab.next(delivery, &exchanges)? {
            Step::Done(verdict) => return Ok(Ended { verdict, exchanges, by_host: false }),
            Step::Send(request) => (request, false),
            Step::SendLast(request) => (request, true),
        };
        let outcome = answer(exchanges.len(), &request, is_last);
        let verdict = is_last.then(|| Verdict::standard(&outcome, now));
        exchanges.push(Exchange { request, outcome });
        if let Some(verdict) = verdict {
            return Ok(Ended { verdict, exchanges, by_host: true });
        }
    }
}
