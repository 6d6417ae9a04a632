//! Why an attempt failed, as one of a few words.

use crate::delivery::Attempt;
use crate::exchange::{Outcome, TransportError};

/// Why an attempt failed, as a word that can be counted: the list is closed, whatever
/// targets and plugins say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureReason {
    /// The host name did not resolve.
    Dns,
    /// No connection: refused, reset, unreachable.
    Connect,
    /// Certificate or handshake.
    Tls,
    /// A deadline passed.
    Timeout,
    /// The host's own rules forbade the request.
    Forbidden,
    /// A broken response.
    Protocol,
    /// The target says that it no longer exists.
    Gone,
    /// Status 429.
    RateLimited,
    /// Another status from 300 to 399.
    Status3xx,
    /// Another status from 400 to 499.
    Status4xx,
    /// A status from 500 on.
    Status5xx,
    /// A status that is no error, and an answer that says no.
    Answer,
    /// The plugin failed before anything was sent.
    Plugin,
}

impl FailureReason {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Timeout,
        Self::Forbidden,
        Self::Protocol,
        Self::Gone,
        Self::RateLimited,
        Self::Status3xx,
        Self::Status4xx,
        Self::Status5xx,
        Self::Answer,
        Self::Plugin,
    ];

    /// The word in the API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Forbidden => "forbidden",
            Self::Protocol => "protocol",
            Self::Gone => "gone",
            Self::RateLimited => "rate_limited",
            Self::Status3xx => "status_3xx",
            Self::Status4xx => "status_4xx",
            Self::Status5xx => "status_5xx",
            Self::Answer => "answer",
            Self::Plugin => "plugin",
        }
    }

    /// Why an attempt failed, by its last exchange; none when it delivered.
    pub fn of(attempt: &Attempt) -> Option<Self> {
        let reason = match attempt.verdict.as_str() {
            "delivered" => return None,
            "gone" => Self::Gone,
            _ => match attempt.exchanges.last().map(|exchange| &exchange.outcome) {
                None => Self::Plugin,
                Some(Outcome::Failed(error)) => Self::of_transport(error),
                Some(Outcome::Response(response)) => match response.status {
                    429 => Self::RateLimited,
                    300..=399 => Self::Status3xx,
                    400..=499 => Self::Status4xx,
                    500.. => Self::Status5xx,
                    _ => Self::Answer,
                },
            },
        };
        Some(reason)
    }

    fn of_transport(error: &TransportError) -> Self {
        match error {
            TransportError::Dns(_) => Self::Dns,
            TransportError::Connect(_) => Self::Connect,
            TransportError::Tls(_) => Self::Tls,
            TransportError::Timeout(_) => Self::Timeout,
            TransportError::Forbidden(_) => Self::Forbidden,
            TransportError::Protocol(_) => Self::Protocol,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use crate::exchange::{Exchange, Request, Response, Verdict};
    use crate::header::Headers;

    fn ended(verdict: &Verdict, outcomes: Vec<Outcome>) -> Attempt {
        let request = Request {
            method: "POST".into(),
            url: "https://example.com/".into(),
            headers: Headers::default(),
            body: Bytes::new(),
            sign: true,
        };
        let exchange = |outcome| Exchange { request: request.clone(), outcome };
        Attempt {
            number: 1,
            started_at: Timestamp::UNIX_EPOCH,
            duration_ms: 1,
            status_code: None,
            verdict: verdict.word().to_owned(),
            error: None,
            note: None,
            plugin_digest: String::new(),
            endpoint_version: 1,
            exchanges: outcomes.into_iter().map(exchange).collect(),
        }
    }

    fn answer(status: u16) -> Outcome {
        Outcome::Response(Response {
            status,
            headers: Headers::default(),
            body: Bytes::new(),
            truncated: false,
            incomplete: None,
        })
    }

    #[test]
    fn the_last_exchange_says_why() {
        let retry = Verdict::Retry { after_ms: None, reason: "because".into() };
        let why = |outcomes| FailureReason::of(&ended(&retry, outcomes)).unwrap().as_str();
        for (status, word) in [
            (200, "answer"),
            (302, "status_3xx"),
            (403, "status_4xx"),
            (429, "rate_limited"),
            (503, "status_5xx"),
            (999, "status_5xx"),
        ] {
            assert_eq!(why(vec![answer(status)]), word, "{status}");
        }
        let timeout = Outcome::Failed(TransportError::Timeout("10 s".into()));
        assert_eq!(why(vec![answer(200), timeout]), "timeout");
        assert_eq!(why(Vec::new()), "plugin");
    }

    #[test]
    fn what_was_delivered_did_not_fail_and_what_is_gone_is_gone() {
        assert_eq!(FailureReason::of(&ended(&Verdict::Delivered(None), vec![answer(200)])), None);
        let gone = ended(&Verdict::Gone("no such channel".into()), vec![answer(200)]);
        assert_eq!(FailureReason::of(&gone), Some(FailureReason::Gone));
    }
}
