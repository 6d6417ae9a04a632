//! Reads from a service that the operator named, such as a workflow platform: no
//! address is judged, since no tenant had a say in it. Bounds and rules of the client
//! are those of all that leaves.

use std::net::SocketAddr;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::exchange::TransportError;
use bytes::{Bytes, BytesMut};
use ipnet::IpNet;
use reqwest::header::{DATE, HeaderMap, LOCATION};
use tokio::time::Instant;
use url::Url;

use super::client::Client;
use super::error::{classify, root_text};
use super::names::Names;
use super::resolver::JudgedResolver;
use super::{Deadlines, EngineError};

/// Largest answer that is read, in bytes: forty thousand states of one run, or as many
/// runs in one page, by what the platform takes for each.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// Reads over HTTP. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    total: Duration,
}

/// An answer of any status, whole.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// Where it leads, if it is a redirect. Nobody has followed it.
    pub location: Option<String>,
    /// What time it was for the server, to the second, if it says so.
    pub date: Option<Timestamp>,
    /// The body.
    pub body: Bytes,
}

impl Fetcher {
    /// One that looks names up like all that leaves, and gives up on an answer that is
    /// not there in `total`.
    ///
    /// # Errors
    /// The client could not be made.
    pub fn new(servers: &[SocketAddr], total: Duration) -> Result<Self, EngineError> {
        let everywhere = ["0.0.0.0/0", "::/0"].iter().filter_map(|text| text.parse().ok());
        let rules = AddressRules::new(everywhere.collect::<Vec<IpNet>>());
        let resolver = JudgedResolver::new(Names::new(servers), rules);
        let deadlines = Deadlines { first_byte: total, total, ..Deadlines::default() };
        let client = Client::new(resolver, deadlines).map_err(EngineError::Client)?.into_inner();
        Ok(Self { client, total })
    }

    /// Gets what is at `url`.
    ///
    /// # Errors
    /// There was no answer in time, or not a whole one, or it is over 8 MiB.
    pub async fn get(&self, url: Url, headers: HeaderMap) -> Result<Fetched, TransportError> {
        let until = Instant::now() + self.total;
        let late = || {
            let waited_ms = self.total.as_millis();
            TransportError::Timeout(format!("no whole answer within {waited_ms} ms"))
        };
        let request = self.client.get(url).headers(headers).send();
        let answered = tokio::time::timeout_at(until, request).await.map_err(|_| late())?;
        let mut answer = answered.map_err(|error| classify(&error))?;
        let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let (location, date) = (text(LOCATION).map(str::to_owned), text(DATE).and_then(date));
        let mut body = BytesMut::new();
        loop {
            match tokio::time::timeout_at(until, answer.chunk()).await {
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) if body.len() + chunk.len() > MAX_BODY_BYTES => {
                    let detail = format!("the answer is over {MAX_BODY_BYTES} bytes");
                    return Err(TransportError::Protocol(detail));
                }
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Ok(Err(error)) => return Err(TransportError::Protocol(root_text(&error))),
                Err(_) => return Err(late()),
            }
        }
        Ok(Fetched { status: answer.status().as_u16(), location, date, body: body.freeze() })
    }
}

/// A date of HTTP, which is always in GMT (RFC 9110, 5.6.7).
fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with these bytes, and then says nothing more.
    async fn server(answer: Vec<u8>) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _ = connection.read(&mut [0; 4096]).await;
            let _ = connection.write_all(&answer).await;
            std::future::pending::<()>().await;
        });
        url
    }

    async fn get(answer: impl Into<Vec<u8>>) -> Result<Fetched, TransportError> {
        let fetcher = Fetcher::new(&[], Duration::from_millis(500)).unwrap();
        fetcher.get(server(answer.into()).await, HeaderMap::new()).await
    }

    #[tokio::test]
    async fn an_answer_comes_whole_and_a_redirect_is_not_followed() {
        let fetched = get("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://other/\r\n\
            date: Fri, 27 Nov 2026 12:48:55 GMT\r\ncontent-length: 2\r\n\r\n{}")
        .await
        .unwrap();
        assert_eq!((fetched.status, &fetched.body[..]), (307, &b"{}"[..]));
        assert_eq!(fetched.location.as_deref(), Some("http://other/"));
        assert_eq!(fetched.date.unwrap().to_string(), "2026-11-27T12:48:55Z");
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_left_at_its_bounds() {
        let silent = get("").await.unwrap_err();
        assert!(matches!(silent, TransportError::Timeout(_)), "{silent}");
        let half = get("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{").await.unwrap_err();
        assert!(matches!(half, TransportError::Timeout(_)), "{half}");
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_BODY_BYTES + 1);
        let endless = [head.as_bytes(), &vec![b'x'; MAX_BODY_BYTES + 1]].concat();
        let endless = get(endless).await.unwrap_err();
        assert!(endless.to_string().contains("over 8388608 bytes"), "{endless}");
    }
}
