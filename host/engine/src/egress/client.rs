//! The one HTTP client: no redirects, no proxy from the environment, deadlines on
//! each part, a bound on what it reads.

use std::time::Duration;

use alerts_domain::exchange::{Response, TransportError};
use bytes::BytesMut;
use tokio::time::Instant;

use super::Deadlines;
use super::answer::{READ_BODY_BYTES, header_texts};
use super::error::{classify, is_not_processed, root_text};
use super::prepare::Prepared;
use super::resolver::JudgedResolver;
use super::transport::{Exchanged, Transport};

/// How long an idle connection is kept. Shorter than the 60 s at which common
/// load balancers drop theirs, so that we rarely write into a closing one.
const IDLE: Duration = Duration::from_secs(45);
/// Most headers of an answer. What is over it fails by name; common servers take
/// no more than half of it themselves.
const MAX_ANSWER_HEADERS: usize = 256;
/// How often a request is sent again that the server says it did not look at. Each
/// goes over another connection where the server is about to close this one.
const MAX_RESENDS: usize = 2;

/// A `reqwest` client with the host's rules built in.
#[derive(Debug, Clone)]
pub(super) struct Client {
    inner: reqwest::Client,
    deadlines: Deadlines,
    /// Why no certificate can be verified on this machine, where none can.
    no_certificates: Option<String>,
}

impl Client {
    pub(super) fn new(resolver: JudgedResolver, deadlines: Deadlines) -> reqwest::Result<Self> {
        // Two crates could each bring a provider; the first to say so decides.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            reqwest::Client::builder()
                .dns_resolver(resolver.clone())
                .redirect(reqwest::redirect::Policy::none())
                // `send` does it, so that an exchange has one deadline over all of it.
                .retry(reqwest::retry::never())
                .no_proxy()
                .referer(false)
                .user_agent(concat!("Exosphere-Alerts/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(deadlines.connect)
                .pool_idle_timeout(IDLE)
                // A target's odd header must not hide that it took the alert.
                .http1_ignore_invalid_headers_in_responses(true)
                .http1_allow_obsolete_multiline_headers_in_responses(true)
                .http1_allow_spaces_after_header_name_in_responses(true)
                .http1_max_headers(MAX_ANSWER_HEADERS)
        };
        let (inner, no_certificates) = match builder().build() {
            Ok(inner) => (inner, None),
            // The builder reads the machine's certificate authorities. Targets over
            // http need none, so a machine without them serves those.
            Err(error) => {
                let why = root_text(&error);
                let inner = builder().tls_certs_only([]).build()?;
                tracing::warn!(error = why, "https targets cannot be reached from this machine");
                (inner, Some(why))
            }
        };
        Ok(Self { inner, deadlines, no_certificates })
    }

    /// The client with the host's rules built in, for what is read in another way.
    pub(super) fn into_inner(self) -> reqwest::Client {
        self.inner
    }

    /// Sends, waits for the head within its deadline, reads the body up to the bound.
    async fn send(&self, prepared: Prepared) -> Result<Response, TransportError> {
        if let Some(why) = &self.no_certificates
            && prepared.url.scheme() == "https"
        {
            return Err(TransportError::Tls(format!(
                "this machine has no certificate authorities ({why}); install its package \
                 `ca-certificates`, or let SSL_CERT_FILE name a bundle, and restart the host"
            )));
        }
        let until = Instant::now() + self.deadlines.total;
        let mut answer = self.head(prepared).await?;
        let status = answer.status().as_u16();
        let headers = header_texts(answer.headers());
        let mut body = BytesMut::new();
        let mut truncated = false;
        // The head says what became of the request. Whatever happens to the body
        // after it, a repetition would send the alert twice.
        let incomplete = loop {
            match tokio::time::timeout_at(until, answer.chunk()).await {
                Ok(Ok(None)) => break None,
                Ok(Ok(Some(chunk))) => {
                    let room = READ_BODY_BYTES - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        truncated = true;
                        break None;
                    }
                }
                Ok(Err(error)) => break Some(root_text(&error)),
                Err(_) => {
                    let waited_ms = self.deadlines.total.as_millis();
                    break Some(format!("its end did not come within {waited_ms} ms"));
                }
            }
        };
        truncated |= incomplete.is_some();
        Ok(Response { status, headers, body: body.freeze(), truncated, incomplete })
    }

    /// The answer's head. Sent again at once where it is certain that the server has
    /// not looked at the request: that is no attempt.
    async fn head(&self, prepared: Prepared) -> Result<reqwest::Response, TransportError> {
        let Prepared { method, url, headers, body } = prepared;
        let patience = self.deadlines.first_byte.min(self.deadlines.total);
        let until = Instant::now() + patience;
        let mut resends = 0;
        loop {
            let mut request = reqwest::Request::new(method.clone(), url.clone());
            *request.headers_mut() = headers.clone();
            *request.body_mut() = Some(body.clone().into());
            match tokio::time::timeout_at(until, self.inner.execute(request)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if resends < MAX_RESENDS && is_not_processed(&error) => resends += 1,
                Ok(Err(error)) => return Err(classify(&error)),
                Err(_) => {
                    let waited_ms = patience.as_millis();
                    return Err(TransportError::Timeout(format!(
                        "no answer within {waited_ms} ms"
                    )));
                }
            }
        }
    }
}

impl Transport for Client {
    fn exchange(&self, request: Prepared) -> Exchanged<'_> {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What a server of HTTP/2 does with a connection.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Server {
        Answers,
        /// Refuses the stream, by name.
        Refuses,
        /// Goes away, and says that this was the last stream that it looked at.
        GoesAwayAfter(u32),
    }

    /// Does one thing with each connection in turn, and the last one from then on. Says
    /// where it is, and counts the connections.
    async fn serve(script: &'static [Server]) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let server = script[number.min(script.len() - 1)];
                tokio::spawn(serve_one(connection, server));
            }
        });
        (url, connections)
    }

    async fn serve_one(mut connection: TcpStream, server: Server) {
        if let Server::GoesAwayAfter(stream) = server {
            // Settings, so that the client begins; and once it has, GOAWAY (RFC 9113, 6.8).
            connection.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
            let mut buffer = [0; 4096];
            let mut read = Vec::new();
            while !read.windows(5).any(|frame| frame[..1] == [1] && frame[1..] == [0x4, 0, 0, 0]) {
                let count = connection.read(&mut buffer).await.unwrap();
                read.extend_from_slice(&buffer[..count]);
            }
            connection.write_all(&[0, 0, 8, 7, 0, 0, 0, 0, 0]).await.unwrap();
            connection.write_all(&stream.to_be_bytes()).await.unwrap();
            connection.write_all(&[0; 4]).await.unwrap();
            connection.shutdown().await.unwrap();
            return;
        }
        let mut connection = h2::server::handshake(connection).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            if server == Server::Refuses {
                respond.send_reset(h2::Reason::REFUSED_STREAM);
            } else {
                let answer = http::Response::new(());
                respond.send_response(answer, true).unwrap();
            }
        }
    }

    fn client() -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = reqwest::Client::builder().http2_prior_knowledge().no_proxy();
        let inner = inner.retry(reqwest::retry::never()).build().unwrap();
        Client { inner, deadlines: Deadlines::default(), no_certificates: None }
    }

    async fn post(client: &Client, url: &str) -> Result<Response, TransportError> {
        let prepared = Prepared {
            method: reqwest::Method::POST,
            url: url.parse().unwrap(),
            headers: reqwest::header::HeaderMap::new(),
            body: Bytes::from_static(b"{}"),
        };
        client.send(prepared).await
    }

    #[tokio::test]
    async fn a_stream_that_the_server_did_not_look_at_is_sent_again_at_once() {
        let (url, connections) = serve(&[Server::GoesAwayAfter(0), Server::Answers]).await;
        let response = post(&client(), &url).await.unwrap();
        assert_eq!((response.status, connections.load(Ordering::SeqCst)), (200, 2));
    }

    #[tokio::test]
    async fn a_server_that_refuses_every_stream_is_left_alone_after_a_few() {
        let (url, _) = serve(&[Server::Refuses]).await;
        let failed = post(&client(), &url).await.unwrap_err().to_string();
        assert!(failed.contains("did not take the request"), "{failed}");
        assert!(failed.contains("refused stream"), "{failed}");
    }

    #[tokio::test]
    async fn a_stream_that_the_server_may_have_looked_at_is_not_sent_again() {
        let (url, connections) = serve(&[Server::GoesAwayAfter(1), Server::Answers]).await;
        let failed = post(&client(), &url).await.unwrap_err();
        assert!(matches!(failed, TransportError::Protocol(_)), "{failed:?}");
        assert_eq!(connections.load(Ordering::SeqCst), 1);
    }
}
