//! What Opsgenie's answers mean. Reference: docs.opsgenie.com/docs/response.

use exosphere_alerts_sdk::text::one_line;
use exosphere_alerts_sdk::{Outcome, Response, Verdict, retry_after_ms};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    message: String,
    request_id: Option<String>,
}

/// `now` is the delivery's. Opsgenie answers 202 and works the request off
/// later; the request's id is what its support asks for.
///
/// A 404 does not disable the rule: one address serves every account, and a
/// rule that calls people must not be switched off by a proxy.
pub(crate) fn verdict(outcome: &Outcome, now: u64) -> Verdict {
    let Outcome::Response(response) = outcome else { return Verdict::standard(outcome, now) };
    let Answer { message, request_id } = serde_json::from_slice(&response.body).unwrap_or_default();
    let reason = said(response, &message);
    match response.status {
        200..=299 => Verdict::Delivered(request_id),
        401 | 403 => Verdict::Rejected(format!("{reason}; check the endpoint's secret `api_key`")),
        404 => Verdict::Rejected(format!("{reason}; check the endpoint's `target_url`")),
        410 => Verdict::Gone(reason),
        408 | 425 | 429 => Verdict::retry(retry_after_ms(response, now), reason),
        400..=499 => Verdict::Rejected(reason),
        _ => Verdict::retry(retry_after_ms(response, now), reason),
    }
}

fn said(response: &Response, message: &str) -> String {
    /// Opsgenie's messages are a sentence.
    const MAX_CHARS: usize = 300;
    match one_line(message, MAX_CHARS) {
        words if words.is_empty() => format!("Opsgenie answered {}", response.status),
        words => format!("Opsgenie answered {}: {words}", response.status),
    }
}
