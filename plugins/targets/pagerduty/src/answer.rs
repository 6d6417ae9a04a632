//! What PagerDuty's answers mean.
//! Reference: developer.pagerduty.com/docs/events-api-v2/overview.

use exosphere_alerts_sdk::text::one_line;
use exosphere_alerts_sdk::{Outcome, Response, Verdict, retry_after_ms};
use serde::Deserialize;

/// The body of any answer; which fields are there depends on the status.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    message: String,
    errors: Vec<String>,
    dedup_key: Option<String>,
}

/// What the exchange that just ended means. `now` is the delivery's.
///
/// PagerDuty itself answers 202, 400, 429 and 5xx. Nothing but a 410 disables
/// the rule: one address serves every service, so whatever else answers there
/// says nothing about this one, and a rule that pages people must not be
/// switched off by a proxy.
pub(crate) fn verdict(outcome: &Outcome, now: u64) -> Verdict {
    let Outcome::Response(response) = outcome else { return Verdict::standard(outcome, now) };
    match response.status {
        200..=299 => Verdict::Delivered(answer(response).dedup_key),
        410 => Verdict::Gone(said(response)),
        // How version 1 of this API throttled, and what a firewall on the way
        // says; both pass without a change of the endpoint.
        403 | 408 | 425 | 429 => not_now(response, now),
        401 => Verdict::Rejected(advised(response, "PagerDuty asks for no login; a proxy does")),
        404 | 405 => Verdict::Rejected(advised(
            response,
            "nothing takes events at this address; check the endpoint's `target_url`",
        )),
        400..=499 => Verdict::Rejected(said(response)),
        _ => not_now(response, now),
    }
}

fn not_now(response: &Response, now: u64) -> Verdict {
    Verdict::retry(retry_after_ms(response, now), said(response))
}

fn advised(response: &Response, advice: &str) -> String {
    format!("{}; {advice}", said(response))
}

/// PagerDuty's own words where there are any: the message, then each error.
fn said(response: &Response) -> String {
    /// Enough for a few errors, each a sentence.
    const MAX_CHARS: usize = 1000;
    let Answer { message, errors, .. } = answer(response);
    let words = if message.is_empty() && errors.is_empty() {
        response.excerpt()
    } else {
        let words: Vec<_> = std::iter::once(message).chain(errors).collect();
        one_line(&words.join("; "), MAX_CHARS)
    };
    let status = response.status;
    if words.is_empty() {
        format!("PagerDuty answered {status}")
    } else {
        format!("PagerDuty answered {status}: {words}")
    }
}

/// Empty when it does not read: the status decides, and the body only explains.
fn answer(response: &Response) -> Answer {
    serde_json::from_slice(&response.body).unwrap_or_default()
}
