//! Requests, answers and verdicts as an author reads them.

use alerts_domain::exchange::{Outcome, Request, Response, Verdict};
use bytes::Bytes;

/// Most of a body that is shown, in characters.
const MAX_BODY_CHARS: usize = 4000;

/// Method and URL, headers, and the body, pretty if it is JSON.
pub(crate) fn request(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method, request.url);
    for (name, value) in request.headers.iter() {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&body(&request.body));
    text
}

pub(crate) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed(error) => format!("no answer: {error}"),
        Outcome::Response(Response { status, headers, body: bytes, truncated, incomplete }) => {
            let mut text = format!("{status}\n");
            for (name, value) in headers.iter() {
                text.push_str(&format!("{name}: {value}\n"));
            }
            text.push_str(&body(bytes));
            match incomplete {
                Some(why) => text.push_str(&format!("(the rest of the body never came: {why})\n")),
                None if *truncated => {
                    text.push_str("(the body was longer; it was cut at the host's bound)\n");
                }
                None => {}
            }
            text
        }
    }
}

fn body(body: &Bytes) -> String {
    if body.is_empty() {
        return String::new();
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return format!("\n({} bytes that are not text)\n", body.len());
    };
    let pretty = serde_json::from_str::<serde_json::Value>(text)
        .and_then(|json| serde_json::to_string_pretty(&json));
    let text = pretty.as_deref().unwrap_or(text);
    let shown: String = text.chars().take(MAX_BODY_CHARS).collect();
    let cut = if shown.len() < text.len() { "\n…" } else { "" };
    format!("\n{shown}{cut}\n")
}

/// The verdict and what the host does with it.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Delivered(None) => "delivered".to_owned(),
        Verdict::Delivered(Some(note)) => format!("delivered, kept with the attempt: {note}"),
        Verdict::Retry { after_ms: None, reason } => {
            format!("retry when the rule's policy says: {reason}")
        }
        Verdict::Retry { after_ms: Some(ms), reason } => {
            format!("retry after {ms} ms at the earliest: {reason}")
        }
        Verdict::Rejected(reason) => format!("rejected, to the dead letters: {reason}"),
        Verdict::Gone(reason) => format!("gone, and its rule is disabled: {reason}"),
    }
}
