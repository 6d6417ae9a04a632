//! Clients that hold connections, bodies and answers, and the others beside them.

use std::time::Duration;

use alerts_server::ServerLimits;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::api::{Api, KEY};
use crate::support::events::{failed, failed_with};
use crate::support::eventually;
use crate::support::host::{TENANT, TestHost};

/// So many pages of a mebibyte are more than the system buffers.
const PAGES: usize = 20;

/// Ways to say nothing: not a byte, the first one of either protocol, and most of
/// what begins HTTP/2.
const NOTHING: [&[u8]; 4] =
    [b"", b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n"];

fn short() -> ServerLimits {
    ServerLimits {
        connections: 32,
        connections_per_address: 32,
        first_request: Duration::from_secs(1),
        write: Duration::from_secs(1),
        ..ServerLimits::default()
    }
}

/// Ends once the host has ended the connection.
async fn ended(mut stream: TcpStream) {
    let mut bytes = [0; 4096];
    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}

async fn within_a_minute<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect(what)
}

#[tokio::test]
async fn connections_that_say_nothing_keep_nobody_out() {
    // So long that none is cut for its silence: they must make room.
    let limits = ServerLimits { first_request: Duration::from_secs(3600), ..short() };
    let host = TestHost::limited(limits).await;
    let mut silent = Vec::new();
    for number in 0..limits.connections * 2 {
        let mut stream = TcpStream::connect(host.address()).await.unwrap();
        stream.write_all(NOTHING[number % NOTHING.len()]).await.unwrap();
        silent.push(stream);
    }
    // A new client each time, so a new connection.
    for _ in 0..5 {
        let api = Api::new(host.address(), TENANT);
        api.get("/healthz").await.expect(200);
        api.event(failed("evt-1")).await;
    }
    // The ones that came first have gone.
    for stream in silent.drain(..limits.connections) {
        within_a_minute("a silent connection makes room", ended(stream)).await;
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_cut() {
    let host = TestHost::limited(short()).await;
    for begin in NOTHING {
        let mut stream = TcpStream::connect(host.address()).await.unwrap();
        stream.write_all(begin).await.unwrap();
        within_a_minute("a connection without a request is cut", ended(stream)).await;
    }
    let kept = host.api.get("/healthz").await;
    assert_eq!(kept.status, 200);
}

fn post_events(body_bytes: usize) -> String {
    format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\n\
         x-exosphere-namespace: {TENANT}\r\ncontent-type: application/cloudevents+json\r\n\
         content-length: {body_bytes}\r\n\r\n"
    )
}

#[tokio::test]
async fn bodies_that_do_not_end_take_so_much_memory_and_no_more() {
    const SENT: usize = 100_000;
    let limits = ServerLimits { body_bytes: 5 * SENT, ..ServerLimits::default() };
    let host = TestHost::limited(limits).await;
    let mut slow = Vec::new();
    let refused = eventually("an event finds no memory", async || {
        // Always one more: an event that finds memory may take it from one of these.
        let mut stream = TcpStream::connect(host.address()).await.unwrap();
        stream.write_all(post_events(SENT + 1).as_bytes()).await.unwrap();
        // One that finds none either is cut while it is sent.
        let _ = stream.write_all(&[b' '; SENT]).await;
        slow.push(stream);
        let answer = host.api.post("/v1/events", failed("evt-1")).await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert!(refused.headers.contains_key("retry-after"));
    assert!(refused.text().contains("send the request again"), "{}", refused.text());
    // What has no body needs none.
    host.api.get("/v1/events").await.expect(200);
    drop(slow);
    eventually("the memory is given back", async || {
        let answer = host.api.post("/v1/events", failed("evt-1")).await;
        (answer.status == 202).then_some(())
    })
    .await;
}

/// Stores events of which a page holds a mebibyte.
async fn large_events(host: &TestHost) {
    for number in 0..60 {
        let data = json!({"text": "x".repeat(200_000)});
        host.api.event(failed_with(&format!("evt-{number}"), "data", data)).await;
    }
}

/// Ends once the host says that it has cut a connection.
async fn one_is_cut(host: &TestHost) {
    eventually("a connection is cut", async || {
        let figures = host.api.get("/metrics").await.expect(200);
        let Value::String(text) = figures else { return None };
        text.contains("alerts_connections_ended_total{why=\"stuck\"}").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut() {
    let host = TestHost::limited(short()).await;
    large_events(&host).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(host.address()).await.unwrap();
    let request = format!(
        "GET /v1/events?limit=200 HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\n\
         x-exosphere-namespace: {TENANT}\r\n\r\n"
    );
    // More pages than the system buffers, asked for one after another.
    stream.write_all(request.repeat(PAGES).as_bytes()).await.unwrap();
    one_is_cut(&host).await;
    let mut received = Vec::new();
    // What the system had buffered, and then the end.
    let _ = within_a_minute("the end", stream.read_to_end(&mut received)).await;
    assert!(received.starts_with(b"HTTP/1.1 200"));
    assert!(received.len() < PAGES * 900_000, "{} bytes came all the same", received.len());
    host.api.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn an_answer_that_is_held_back_over_http2_is_cut() {
    let host = TestHost::limited(short()).await;
    large_events(&host).await;
    let client = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .http2_initial_stream_window_size(Some(16 * 1024))
        .build()
        .unwrap();
    let url = format!("http://{}/v1/events?limit=200", host.address());
    let get = client.get(url).header("x-api-key", KEY).header("x-exosphere-namespace", TENANT);
    let held = get.send().await.unwrap();
    assert_eq!(held.status(), 200);
    one_is_cut(&host).await;
    assert!(held.bytes().await.is_err(), "the answer ends before it is whole");
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_served() {
    let host = TestHost::limited(short()).await;
    large_events(&host).await;
    let api = host.api.clone();
    // Reads as it comes, with many pieces; and rests between requests for longer than
    // a first request may take.
    for _ in 0..2 {
        let page = api.get("/v1/events?limit=200").await.expect(200);
        assert!(!page["data"].as_array().unwrap().is_empty());
        tokio::time::sleep(short().first_request * 2).await;
    }
}
