//! What a target adapter and the host say to each other, in the host's own
//! types: the same whatever version of the plugin contract carried it.
//!
//! All of it is stored with the attempt, secrets as references, so that any
//! attempt can be shown and replayed.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::header::Headers;

// The plugin SDK's own file: adapters and the standard verdict must read this
// header alike, and the SDK has to be whole without the host.
#[path = "../../../plugins/sdk/src/retry_after.rs"]
mod retry_after;

/// A request an adapter asked for. References stand in place of secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `POST`, `PUT`, `PATCH`, `GET` or `DELETE`.
    pub method: String,
    /// Absolute `http` or `https` URL.
    pub url: String,
    /// In the order the adapter gave.
    pub headers: Headers,
    /// The exact bytes, before references are replaced.
    #[serde(with = "body_text")]
    pub body: Bytes,
    /// Whether the host adds the endpoint's signature headers.
    pub sign: bool,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Headers,
    /// Cut at the egress bound.
    #[serde(with = "body_text")]
    pub body: Bytes,
    /// Whether the body was longer than what is kept here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Why the rest of the body never came, where the target did not end it. The
    /// status stands all the same: what arrived has arrived. [`Self::truncated`] is
    /// true as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

/// Why there was no response. The text is for the tenant: it says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub enum TransportError {
    /// The name did not resolve.
    #[error("the host name did not resolve: {0}")]
    Dns(String),
    /// Refused, reset, or unreachable.
    #[error("could not connect: {0}")]
    Connect(String),
    /// Certificate or handshake.
    #[error("the TLS handshake failed: {0}")]
    Tls(String),
    /// One of the egress deadlines passed.
    #[error("timed out: {0}")]
    Timeout(String),
    /// The host's own rules forbade it.
    #[error("forbidden: {0}")]
    Forbidden(String),
    /// A broken response, or anything else.
    #[error("the exchange failed: {0}")]
    Protocol(String),
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A response, of any status.
    Response(Response),
    /// None.
    Failed(TransportError),
}

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// As the adapter made it.
    pub request: Request,
    /// As the host saw it.
    pub outcome: Outcome,
}

/// An adapter's answer to "what next?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Perform this, then ask again.
    Send(Request),
    /// Perform this and apply [`Verdict::standard`].
    SendLast(Request),
    /// The attempt is over.
    Done(Verdict),
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The target has it; perhaps with the vendor's message id.
    Delivered(Option<String>),
    /// Not now.
    Retry {
        /// Wait at least this long, when the target said so.
        after_ms: Option<u64>,
        /// For the tenant.
        reason: String,
    },
    /// Never.
    Rejected(String),
    /// The target no longer exists.
    Gone(String),
}

impl Verdict {
    /// The word that the API shows for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Retry { .. } => "retry",
            Self::Rejected(_) => "rejected",
            Self::Gone(_) => "gone",
        }
    }

    /// What the adapter noted of a delivery that went well.
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Delivered(note) => note.as_deref(),
            Self::Retry { .. } | Self::Rejected(_) | Self::Gone(_) => None,
        }
    }

    /// What a plain HTTP answer means: 2xx delivered, 404 and 410 gone, all
    /// else retried, with Retry-After honoured (RFC 9110, 10.2.3).
    pub fn standard(outcome: &Outcome, now: jiff::Timestamp) -> Self {
        match outcome {
            Outcome::Failed(error) => Self::Retry { after_ms: None, reason: error.to_string() },
            Outcome::Response(response) => match response.status {
                200..=299 => Self::Delivered(None),
                status @ (404 | 410) => Self::Gone(format!("the target answered {status}")),
                status @ 300..=399 => Self::Retry {
                    after_ms: None,
                    reason: format!("the target answered {status}; redirects are not followed"),
                },
                status => Self::Retry {
                    after_ms: retry_after_ms(&response.headers, now),
                    reason: format!("the target answered {status}"),
                },
            },
        }
    }
}

/// The wait that a `Retry-After` header asks for, in milliseconds from `now`; a day
/// at most.
pub fn retry_after_ms(headers: &Headers, now: jiff::Timestamp) -> Option<u64> {
    let now_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
    retry_after::wait_ms(headers.get("retry-after")?, now_ms)
}

/// Bodies as JSON: text where they are UTF-8, else `{"base64": …}`.
mod body_text {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Body<'a> {
        Text(#[serde(borrow)] std::borrow::Cow<'a, str>),
        Binary { base64: String },
    }

    pub(super) fn serialize<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(body) {
            Ok(text) => Body::Text(text.into()),
            Err(_) => Body::Binary { base64: STANDARD.encode(body) },
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
        Ok(match Body::deserialize(d)? {
            Body::Text(text) => Bytes::from(text.into_owned()),
            Body::Binary { base64 } => STANDARD.decode(base64).map_err(D::Error::custom)?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Outcome {
        Outcome::Response(Response {
            status,
            headers: headers.iter().copied().collect(),
            body: Bytes::new(),
            truncated: false,
            incomplete: None,
        })
    }

    #[test]
    fn the_standard_verdict_follows_the_status() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        assert_eq!(Verdict::standard(&answer(204, &[]), now), Verdict::Delivered(None));
        assert_eq!(Verdict::standard(&answer(410, &[]), now).word(), "gone");
        assert_eq!(Verdict::standard(&answer(404, &[]), now).word(), "gone");
        for status in [301, 400, 401, 422, 429, 500, 503] {
            assert_eq!(Verdict::standard(&answer(status, &[]), now).word(), "retry", "{status}");
        }
    }

    #[test]
    fn retry_after_is_read_as_plugins_read_it() {
        let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let wait = |value| match Verdict::standard(&answer(429, &[("retry-after", value)]), now) {
            Verdict::Retry { after_ms, .. } => after_ms,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait("7"), Some(7_000));
        assert_eq!(wait("Thursday, 01-Jan-26 00:01:00 GMT"), Some(60_000));
        assert_eq!(wait("Fri, 31 Dec 9999 23:59:59 GMT"), Some(retry_after::MAX_WAIT_MS));
        assert_eq!(wait("+5"), None);
    }

    #[test]
    fn a_status_decides_whatever_became_of_the_body() {
        let broken = |status| {
            let Outcome::Response(mut response) = answer(status, &[]) else { unreachable!() };
            (response.truncated, response.incomplete) = (true, Some("reset".to_owned()));
            Verdict::standard(&Outcome::Response(response), jiff::Timestamp::UNIX_EPOCH)
        };
        assert_eq!(broken(200), Verdict::Delivered(None));
        assert_eq!(broken(404).word(), "gone");
        assert_eq!(broken(500).word(), "retry");
    }

    #[test]
    fn a_body_that_is_not_text_survives_storage() {
        let request = Request {
            method: "POST".into(),
            url: "https://example.com/".into(),
            headers: Headers::default(),
            body: Bytes::from_static(&[0xff, 0x00]),
            sign: true,
        };
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&json).unwrap(), request);
    }
}
