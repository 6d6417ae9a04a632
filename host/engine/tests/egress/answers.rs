//! A status decides, whatever becomes of the rest of the answer.

use std::time::Duration;

use alerts_domain::exchange::{Outcome, TransportError, Verdict};
use alerts_engine::Deadlines;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::scene::{NOW, Target, answered, door, door_with, endpoint, failure, perform, request};

/// How an answer breaks after its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaks {
    /// Fewer bytes than were promised, then the end.
    Short,
    /// Chunks, and no last one.
    Unended,
    /// The connection is reset.
    Reset,
    /// Now and then a byte, and never an end.
    Trickles,
    /// Nothing more, and the connection stays open.
    Halts,
}

/// The bytes that come before it breaks.
const BEGINNING: &str = "ten bytes.";

async fn answer(mut connection: TcpStream, status: u16, breaks: Breaks) -> std::io::Result<()> {
    let (framing, beginning) = match breaks {
        Breaks::Unended => ("transfer-encoding: chunked", format!("a\r\n{BEGINNING}\r\n")),
        _ => ("content-length: 500", BEGINNING.to_owned()),
    };
    let head = format!("HTTP/1.1 {status} Whatever\r\n{framing}\r\n\r\n{beginning}");
    connection.write_all(head.as_bytes()).await?;
    match breaks {
        Breaks::Short | Breaks::Unended => connection.shutdown().await,
        Breaks::Reset => connection.set_zero_linger(),
        Breaks::Trickles => loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            connection.write_all(b".").await?;
        },
        Breaks::Halts => std::future::pending().await,
    }
}

#[tokio::test]
async fn a_status_stands_whatever_becomes_of_the_body() {
    let short = Duration::from_millis(300);
    let deadlines = Deadlines { total: short, ..Deadlines::default() };
    for breaks in [Breaks::Short, Breaks::Unended, Breaks::Reset, Breaks::Trickles, Breaks::Halts] {
        for (status, verdict) in [(200, "delivered"), (404, "gone"), (500, "retry")] {
            let target = Target::behaving(move |connection, _| async move {
                // It ends when the client has gone.
                let _ = answer(connection, status, breaks).await;
            })
            .await;
            let response = answered(&door_with(deadlines), &target.url()).await;
            assert_eq!(response.status, status, "{breaks:?}");
            assert!(response.truncated, "{breaks:?}");
            let why = response.incomplete.clone().unwrap_or_default();
            assert!(!why.is_empty(), "{breaks:?}");
            let is_late = matches!(breaks, Breaks::Trickles | Breaks::Halts);
            assert_eq!(why == "its end did not come within 300 ms", is_late, "{breaks:?}: {why}");
            assert!(response.body.starts_with(BEGINNING.as_bytes()), "{breaks:?}: {response:?}");
            assert_eq!(target.connections(), 1, "one POST");
            let decided = Verdict::standard(&Outcome::Response(response), NOW);
            assert_eq!(decided.word(), verdict, "{breaks:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_left_at_its_bound() {
    let target = Target::behaving(|mut connection, _| async move {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        let mut written = connection.write_all(head.as_bytes()).await;
        while written.is_ok() {
            written = connection.write_all(chunk.as_bytes()).await;
        }
    })
    .await;
    let response = answered(&door(), &target.url()).await;
    assert_eq!((response.status, response.body.len()), (200, 16 * 1024));
    assert_eq!((response.truncated, response.incomplete), (true, None), "more came than is kept");
}

#[tokio::test]
async fn an_odd_header_does_not_hide_that_the_alert_was_taken() {
    let many: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    for (what, headers) in [
        ("a name with spaces", "X Bad Name: 1\r\n"),
        ("a name that is no token", "x(y): 1\r\n"),
        ("a control character", "x-control: a\u{1}b\r\n"),
        ("a folded line", "x-folded: one\r\n two\r\n\tthree\r\n"),
        ("a space before the colon", "x-spaced : 1\r\n"),
        ("no colon", "x-nothing\r\n"),
        ("200 headers", many.as_str()),
    ] {
        let head =
            format!("HTTP/1.1 200 OK\r\n{headers}x-good: yes\r\ncontent-length: 2\r\n\r\nok");
        let target = Target::answering(head).await;
        let response = answered(&door(), &target.url()).await;
        assert_eq!((response.status, &response.body[..]), (200, &b"ok"[..]), "{what}");
        assert_eq!(target.connections(), 1, "{what}");
        if what != "200 headers" {
            assert_eq!(response.headers.get("x-good"), Some("yes"), "{what}");
        }
    }
}

#[tokio::test]
async fn a_head_that_cannot_be_read_fails_with_what_is_wrong_with_it() {
    let many: String = (0..1000).map(|number| format!("x-{number}: 1\r\n")).collect();
    for (head, why) in [
        (format!("HTTP/1.1 200 OK\r\n{many}\r\n"), "too large"),
        ("HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n".to_owned(), "content-length"),
        ("220 mail.example ready\r\n\r\n".to_owned(), "HTTP version"),
    ] {
        let target = Target::answering(head).await;
        let (url, egress) = (target.url(), door());
        let failed = failure(&egress, &endpoint(&url), &request(&url)).await;
        let TransportError::Protocol(told) = failed else { panic!("{why}: {failed:?}") };
        assert!(told.contains(why), "{why}: {told}");
    }
}

#[tokio::test]
async fn a_kept_connection_that_ends_under_a_request_does_not_repeat_it() {
    let mut target = Target::behaving(|mut connection, _| async move {
        // Whether it came through shows in what the client does next.
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let _ = connection.read(&mut [0; 4096]).await;
    })
    .await;
    let (egress, url) = (door(), target.url());
    answered(&egress, &url).await;
    target.received.recv().await.unwrap();
    // The target may have acted on it: whether to repeat is for the retry policy.
    let second = perform(&egress, &endpoint(&url), &request(&url)).await;
    assert!(matches!(second, Outcome::Failed(TransportError::Protocol(_))), "{second:?}");
    assert_eq!(target.connections(), 1);
}
