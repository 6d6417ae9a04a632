//! A bare HTTP/1.1 client on one connection: as little work as a load can be,
//! since it shares the cores with what it loads.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Outcome;

/// One kept connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The fixed part of a POST.
#[derive(Clone)]
pub struct Post {
    head: String,
}

impl Post {
    /// To this path, with these headers; the length is added.
    #[must_use]
    pub fn new(path: &str, headers: &[(&str, &str)]) -> Self {
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: bench\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        Self { head }
    }
}

impl Client {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn connect(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8192) })
    }

    /// Sends a body and answers with the response's status.
    ///
    /// # Errors
    /// When the connection is lost before the whole response is there.
    pub async fn post(&mut self, post: &Post, body: &str) -> Outcome<u16> {
        self.buffer.clear();
        self.buffer.extend_from_slice(post.head.as_bytes());
        self.buffer.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        self.buffer.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.buffer).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some(status) = self.whole_response()? {
                return Ok(status);
            }
        }
    }

    /// The status, once all of the response is there.
    fn whole_response(&self) -> Outcome<Option<u16>> {
        let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&self.buffer[..end])?;
        let status = head.get(9..12).ok_or("no status line")?.parse()?;
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(Ok(0), |(_, value)| value.trim().parse::<usize>())?;
        Ok((self.buffer.len() >= end + 4 + length).then_some(status))
    }
}
