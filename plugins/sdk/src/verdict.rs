//! What a vendor's answer means when the vendor says nothing special: the same
//! rule that the host applies to `Step::SendLast`.

use serde::de::DeserializeOwned;

use crate::retry_after::wait_ms;
use crate::text::one_line;
use crate::{Exchange, Outcome, Problem, Response, Retry, TransportError, Verdict};

impl Verdict {
    /// 2xx is delivered, 404 and 410 are gone, all else is retried with
    /// Retry-After honoured. `now` is the delivery's `now`.
    pub fn standard(outcome: &Outcome, now: u64) -> Self {
        match outcome {
            Outcome::Failed(error) => Self::retry(None, error.reason()),
            Outcome::Response(response) => match response.status {
                200..=299 => Self::Delivered(None),
                status @ (404 | 410) => Self::Gone(format!("the target answered {status}")),
                status => {
                    let reason = format!("the target answered {status}");
                    Self::retry(retry_after_ms(response, now), reason)
                }
            },
        }
    }

    /// Not now; at the earliest after `after_ms`, when the target said so.
    pub fn retry(after_ms: Option<u64>, reason: impl Into<String>) -> Self {
        Self::Retry(Retry { after_ms, reason: reason.into() })
    }
}

/// Settings that do not read back are not going to get better by waiting.
impl From<Vec<Problem>> for Verdict {
    fn from(problems: Vec<Problem>) -> Self {
        let mut reason = String::from("the endpoint's settings do not fit this adapter:");
        for Problem { pointer, message } in problems {
            let place = if pointer.is_empty() { "the whole" } else { &pointer };
            reason.push_str(&format!(" {place}: {message};"));
        }
        reason.pop();
        Self::Rejected(reason)
    }
}

impl TransportError {
    /// In words, for a verdict's reason.
    pub fn reason(&self) -> String {
        match self {
            Self::Dns(detail) => format!("the host name did not resolve: {detail}"),
            Self::Connect(detail) => format!("could not connect: {detail}"),
            Self::Tls(detail) => format!("the TLS handshake failed: {detail}"),
            Self::Timeout(detail) => format!("timed out: {detail}"),
            Self::Forbidden(detail) => format!("forbidden: {detail}"),
            Self::Protocol(detail) => format!("the exchange failed: {detail}"),
        }
    }
}

impl Response {
    /// The first header under `name`, without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body's beginning as one line, for a verdict's reason.
    pub fn excerpt(&self) -> String {
        /// Enough for an error's name and a sentence, too little for a page of HTML.
        const MAX_CHARS: usize = 300;
        one_line(&String::from_utf8_lossy(&self.body), MAX_CHARS)
    }
}

impl Exchange {
    /// The body of a 2xx answer, as the author's type. Anything else is the
    /// standard verdict, so `?` ends the attempt as it should.
    pub fn read_accepted<T: DeserializeOwned>(&self, now: u64) -> Result<T, Verdict> {
        match &self.outcome {
            Outcome::Response(response) if (200..300).contains(&response.status) => {
                serde_json::from_slice(&response.body).map_err(|error| {
                    Verdict::retry(None, format!("the target's answer does not read: {error}"))
                })
            }
            other => Err(Verdict::standard(other, now)),
        }
    }
}

/// The wait that a response's `Retry-After` header asks for: seconds, or an HTTP
/// date seen from `now`, milliseconds since the Unix epoch. A day at most.
pub fn retry_after_ms(response: &Response, now: u64) -> Option<u64> {
    wait_ms(response.header("retry-after")?, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01T00:00:00Z.
    const NOW: u64 = 1_767_225_600_000;

    fn answer(status: u16, retry_after: Option<&str>) -> Outcome {
        Outcome::Response(Response {
            status,
            headers: retry_after
                .map(|wait| ("Retry-After".into(), wait.into()))
                .into_iter()
                .collect(),
            body: br#"{"id":7}"#.to_vec(),
            truncated: false,
            extensions: Vec::new(),
        })
    }

    #[test]
    fn the_standard_verdict_follows_the_status() {
        assert_eq!(Verdict::standard(&answer(202, None), NOW), Verdict::Delivered(None));
        for status in [404, 410] {
            assert!(matches!(Verdict::standard(&answer(status, None), NOW), Verdict::Gone(_)));
        }
        for status in [301, 400, 429, 500] {
            assert!(matches!(Verdict::standard(&answer(status, None), NOW), Verdict::Retry(_)));
        }
        let lost = Outcome::Failed(TransportError::Timeout("after 10 s".into()));
        assert_eq!(Verdict::standard(&lost, NOW), Verdict::retry(None, "timed out: after 10 s"));
    }

    #[test]
    fn a_wait_that_the_target_asks_for_is_kept() {
        for (value, wait_ms) in [("7", Some(7_000)), ("soon", None)] {
            let verdict = Verdict::standard(&answer(503, Some(value)), NOW);
            assert_eq!(verdict, Verdict::retry(wait_ms, "the target answered 503"), "{value}");
        }
    }

    #[test]
    fn an_accepted_body_is_read_and_any_other_answer_is_a_verdict() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Ticket {
            id: u64,
        }
        let exchange =
            |outcome| Exchange { request: crate::Request::post_json("u", "{}"), outcome };
        assert_eq!(exchange(answer(201, None)).read_accepted(NOW), Ok(Ticket { id: 7 }));
        let refused = exchange(answer(410, None)).read_accepted::<Ticket>(NOW);
        assert!(matches!(refused, Err(Verdict::Gone(_))));
    }
}
