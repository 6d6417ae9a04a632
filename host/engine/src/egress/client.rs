//! The one HTTP client: no redirects, no proxy from the environment, no retries
//! of its own, deadlines on each part, a bound on what it reads.

use std::time::Duration;

use alerts_domain::address::AddressRules;
use alerts_domain::exchange::{Response, TransportError};
use alerts_domain::header::Headers;
use bytes::BytesMut;

use super::Deadlines;
use super::error::classify;
use super::prepare::Prepared;
use super::resolver::JudgedResolver;
use super::transport::{Exchanged, Transport};

/// Most of a response body that is read, in bytes: enough for any vendor's
/// error text, small enough to store with every attempt.
const MAX_RESPONSE_BYTES: usize = 16 * 1024;
/// Most response headers that are kept, and the longest value.
const MAX_RESPONSE_HEADERS: usize = 64;
const MAX_HEADER_VALUE_BYTES: usize = 1024;
/// How long an idle connection is kept. Shorter than the 60 s at which common
/// load balancers drop theirs, so that we rarely write into a closing one.
const IDLE: Duration = Duration::from_secs(45);

/// A `reqwest` client with the host's rules built in.
#[derive(Debug, Clone)]
pub(super) struct Client {
    inner: reqwest::Client,
    first_byte: Duration,
}

impl Client {
    pub(super) fn new(rules: AddressRules, deadlines: Deadlines) -> reqwest::Result<Self> {
        // Two crates could each bring a provider; the first to say so decides.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = reqwest::Client::builder()
            .dns_resolver(JudgedResolver(rules))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("Exosphere-Alerts/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(deadlines.connect)
            .timeout(deadlines.total)
            .pool_idle_timeout(IDLE)
            .build()?;
        Ok(Self { inner, first_byte: deadlines.first_byte })
    }

    /// Sends, waits for the head within its deadline, reads the body up to the bound.
    async fn send(&self, prepared: Prepared) -> Result<Response, TransportError> {
        let mut request = reqwest::Request::new(prepared.method, prepared.url);
        *request.headers_mut() = prepared.headers;
        *request.body_mut() = Some(prepared.body.into());
        let sent = tokio::time::timeout(self.first_byte, self.inner.execute(request)).await;
        let mut answer = match sent {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(classify(&error)),
            Err(_) => {
                let waited_ms = self.first_byte.as_millis();
                return Err(TransportError::Timeout(format!("no answer within {waited_ms} ms")));
            }
        };
        let status = answer.status().as_u16();
        let headers = kept_headers(answer.headers());
        let mut body = BytesMut::new();
        let mut truncated = false;
        while let Some(chunk) = answer.chunk().await.map_err(|error| classify(&error))? {
            let room = MAX_RESPONSE_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                truncated = true;
                break;
            }
        }
        Ok(Response { status, headers, body: body.freeze(), truncated })
    }
}

impl Transport for Client {
    fn exchange(&self, request: Prepared) -> Exchanged<'_> {
        Box::pin(self.send(request))
    }
}

fn kept_headers(headers: &reqwest::header::HeaderMap) -> Headers {
    let kept = headers.iter().take(MAX_RESPONSE_HEADERS).map(|(name, value)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let end = text.floor_char_boundary(MAX_HEADER_VALUE_BYTES);
        (name.as_str().to_owned(), text[..end].to_owned())
    });
    kept.collect()
}
