//! What Slack's answers mean. A webhook answers with a status and one word:
//! docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.

use exosphere_alerts_sdk::{Outcome, Response, Verdict, retry_after_ms};

/// What becomes of the delivery.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// The webhook, its channel or its workspace is no more.
    Gone,
    /// This message will not be taken; the next one may be.
    Rejected,
}

/// Slack's words for a refusal, and what a person can do about it.
const REFUSALS: [(&str, Fate, &str); 19] = [
    ("no_service", Fate::Gone, MAKE_NEW),
    ("no_service_id", Fate::Gone, MAKE_NEW),
    ("no_active_hooks", Fate::Gone, MAKE_NEW),
    ("invalid_token", Fate::Gone, MAKE_NEW),
    ("no_team", Fate::Gone, "the workspace does not exist; set the endpoint's URL again"),
    ("team_disabled", Fate::Gone, "the workspace is switched off"),
    ("channel_not_found", Fate::Gone, "the channel was deleted; make a webhook for another one"),
    ("channel_is_archived", Fate::Gone, "restore the channel, or make a webhook for another one"),
    ("user_not_found", Fate::Rejected, "the webhook's user is not there; make a new webhook"),
    ("action_prohibited", Fate::Rejected, "an administrator of the workspace has restricted it"),
    ("posting_to_general_channel_denied", Fate::Rejected, "only some members may post there"),
    ("invalid_payload", Fate::Rejected, ADAPTER_FAULT),
    ("invalid_blocks", Fate::Rejected, ADAPTER_FAULT),
    ("invalid_blocks_format", Fate::Rejected, ADAPTER_FAULT),
    ("no_text", Fate::Rejected, ADAPTER_FAULT),
    ("msg_too_long", Fate::Rejected, ADAPTER_FAULT),
    ("msg_blocks_too_long", Fate::Rejected, ADAPTER_FAULT),
    ("too_many_attachments", Fate::Rejected, ADAPTER_FAULT),
    ("missing_text_or_fallback_or_attachments", Fate::Rejected, ADAPTER_FAULT),
];

const MAKE_NEW: &str = "the webhook was removed; make a new one and set the endpoint's URL";
const ADAPTER_FAULT: &str = "the adapter wrote a message that Slack does not take; report it";

/// What the exchange that just ended means. `now` is the delivery's.
pub(crate) fn verdict(outcome: &Outcome, now: u64) -> Verdict {
    let Outcome::Response(response) = outcome else { return Verdict::standard(outcome, now) };
    match response.status {
        200..=299 => Verdict::Delivered(note(response)),
        // A timeout on the server's side, and too many requests: both pass.
        408 | 425 | 429 => not_now(response, now),
        400..=499 => refused(response),
        // Also redirects, which the host never follows: Slack's own URLs do not redirect.
        _ => not_now(response, now),
    }
}

/// Slack says `ok`. Whatever else a 2xx says (a proxy's page, a service that
/// takes Slack's messages) is kept for people to see; posting it again might
/// double it.
fn note(response: &Response) -> Option<String> {
    let said = response.excerpt();
    (said != "ok").then(|| format!("answered {} but not `ok`: {said}", response.status))
}

fn not_now(response: &Response, now: u64) -> Verdict {
    Verdict::retry(retry_after_ms(response, now), said(response))
}

fn refused(response: &Response) -> Verdict {
    let word = response.excerpt();
    let known = REFUSALS.iter().find(|(known, ..)| *known == word);
    match known {
        Some((_, Fate::Gone, advice)) => Verdict::Gone(format!("{}; {advice}", said(response))),
        Some((_, Fate::Rejected, advice)) => {
            Verdict::Rejected(format!("{}; {advice}", said(response)))
        }
        // As for any webhook.
        None if matches!(response.status, 404 | 410) => Verdict::Gone(said(response)),
        None => Verdict::Rejected(said(response)),
    }
}

fn said(response: &Response) -> String {
    match response.excerpt() {
        word if word.is_empty() => format!("Slack answered {}", response.status),
        word => format!("Slack answered {}: {word}", response.status),
    }
}
