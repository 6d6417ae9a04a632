//! Attacks by receivers: those that take a request and never answer, those that answer
//! a byte at a time, and, for the other attacks, one that answers at once.

use std::time::Duration;

use alerts_outside::Outcome;
use alerts_outside::events::failed_run;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::attacker::Attacker;

/// Endpoints of an attack, each with a rule of its own.
const ENDPOINTS: usize = 20;
/// Between two events, each of which becomes an alert for every endpoint.
const PAUSE: Duration = Duration::from_secs(2);

/// Targets that take everything and say nothing.
pub(super) async fn black_holes(attacker: Attacker) -> Outcome {
    let hole = listening(|mut stream| async move {
        // Until the host has had enough of it.
        while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {}
    });
    feed(attacker, &hole.await?).await
}

/// Targets that begin to answer, and never end.
pub(super) async fn tarpits(attacker: Attacker) -> Outcome {
    let tarpit = listening(|mut stream| async move {
        for byte in
            b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".iter().chain([b'x'].iter().cycle())
        {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    feed(attacker, &tarpit.await?).await
}

async fn feed(attacker: Attacker, url: &str) -> Outcome {
    for _ in 0..ENDPOINTS {
        let endpoint = attacker.endpoint(url).await?;
        attacker.rule(&endpoint, "true").await?;
    }
    for number in 0.. {
        attacker.event(failed_run(number, "workflow.failed")).await;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// A target that nobody listens at.
pub(super) fn closed() -> Outcome<String> {
    Ok(format!("http://{}/", alerts_outside::host::free_address()?))
}

/// A target that answers every request 200 at once, and forgets it.
pub(super) async fn answering() -> Outcome<String> {
    listening(|mut stream| async move {
        let mut unread = Vec::with_capacity(8192);
        while let Some(length) = request_length(&unread) {
            // Whole once the body is there too; what follows is the next one.
            if length <= unread.len() && length > 0 {
                unread.drain(..length);
                if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err()
                {
                    return;
                }
            } else if !stream.read_buf(&mut unread).await.is_ok_and(|read| read > 0) {
                return;
            }
        }
    })
    .await
}

/// The length of the request at the start of this; 0 while its head is not whole, and
/// nothing if it has none.
fn request_length(unread: &[u8]) -> Option<usize> {
    let Some(end) = unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Some(0);
    };
    let head = std::str::from_utf8(&unread[..end]).ok()?;
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Some(end + 4 + lengths.next()?.1.trim().parse::<usize>().ok()?)
}

/// Listens, and gives each connection to `serve`.
async fn listening<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Outcome<String>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_with_its_body() {
        let request = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
        for (part, length) in [(10, Some(0)), (37, Some(0)), (38, Some(41)), (41, Some(41))] {
            assert_eq!(request_length(&request[..part]), length, "{part}");
        }
        assert_eq!(request_length(b"POST / HTTP/1.1\r\nhost: x\r\n\r\n"), None);
    }
}
