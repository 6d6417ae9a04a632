//! The one door, on real sockets: what does not get out, what gets out, and what
//! is told when nothing comes back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::endpoint::{EndpointSecrets, EndpointSpec, WebhookEndpoint};
use alerts_domain::exchange::{Outcome, Request, TransportError};
use alerts_domain::header::Headers;
use alerts_domain::id::EndpointId;
use alerts_domain::keyring::Sealed;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Deadlines, Egress, LiveEndpoint, target_endpoint};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const TOKEN: &str = "t0ken \"quoted\"";

/// A target that answers each connection with the same bytes, and then keeps it open.
struct Target {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: tokio::sync::mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Target {
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, answer) = (listener.local_addr().unwrap(), answer.into());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let (sender, received) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let mut buffer = vec![0; 64 * 1024];
                let read = connection.read(&mut buffer).await.unwrap_or_default();
                buffer.truncate(read);
                // Whether anybody still listens does not matter.
                let _ = sender.send(buffer);
                let _ = connection.write_all(&answer).await;
                open.push(connection);
            }
        });
        Self { address, connections, received }
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn ok(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

/// An endpoint to this URL that holds a secret `token`.
fn endpoint(url: &str) -> LiveEndpoint {
    let stored = WebhookEndpoint {
        id: EndpointId::new(NOW, 1),
        tenant: TenantId::new("payments").unwrap(),
        spec: EndpointSpec {
            name: "On call".to_owned(),
            target_url: url.to_owned(),
            target: EndpointSpec::DEFAULT_TARGET.to_owned(),
            settings: serde_json::Map::new(),
            headers: Headers::default(),
            is_active: true,
            include_event_data: false,
            rate_limit: None,
            gone_after: 1,
        },
        sealed_secrets: Sealed::from_stored(String::new()),
        version: 1,
        created_by: "test".to_owned(),
        created_at: NOW,
        updated_at: NOW,
        deleted_at: None,
    };
    let secrets = EndpointSecrets {
        signing: Secret::generate_signing([7; 24]),
        previous_signing: None,
        url: None,
        named: BTreeMap::from([("token".to_owned(), Secret::new(TOKEN))]),
    };
    LiveEndpoint::new(stored, secrets)
}

/// What the adapter writes in place of `token`.
fn reference(endpoint: &LiveEndpoint) -> String {
    target_endpoint(endpoint).secrets[0].1.clone()
}

fn request(url: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: Headers::default(),
        body: Bytes::from_static(b"{}"),
        sign: true,
    }
}

/// A door to this machine.
fn door() -> Egress {
    door_with(Deadlines::default())
}

fn door_with(deadlines: Deadlines) -> Egress {
    let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
    Egress::new(AddressRules::new(loopback.to_vec()), deadlines).unwrap()
}

async fn perform(egress: &Egress, endpoint: &LiveEndpoint, request: &Request) -> Outcome {
    egress.perform(request, endpoint, &[], "dlv_1", NOW).await
}

async fn failure(egress: &Egress, endpoint: &LiveEndpoint, request: &Request) -> TransportError {
    match perform(egress, endpoint, request).await {
        Outcome::Failed(error) => error,
        Outcome::Response(response) => panic!("it was answered: {response:?}"),
    }
}

#[tokio::test]
async fn a_name_is_judged_by_the_addresses_it_has_when_it_is_connected_to() {
    let target = Target::answering(ok("", "")).await;
    let url = format!("http://localhost:{}/hook", target.address.port());
    let endpoint = endpoint(&url);
    let closed = Egress::new(AddressRules::default(), Deadlines::default()).unwrap();
    let refused = failure(&closed, &endpoint, &request(&url)).await;
    let TransportError::Forbidden(told) = refused else { panic!("{refused:?}") };
    assert!(told.starts_with("localhost leads to a forbidden address: "), "{told}");
    assert_eq!(target.connections(), 0);
    // The same name, where the operator has opened the network.
    let outcome = perform(&door(), &endpoint, &request(&url)).await;
    assert!(matches!(outcome, Outcome::Response(_)), "{outcome:?}");
    assert_eq!(target.connections(), 1);
}

#[tokio::test]
async fn what_an_adapter_may_not_send_never_leaves() {
    let target = Target::answering(ok("", "")).await;
    let (egress, url) = (door(), target.url());
    let endpoint = endpoint(&url);
    let good = || request(&url);
    let with = |name: &str, value: &str| {
        let mut headers = Headers::default();
        headers.push(name, value);
        Request { headers, ..good() }
    };
    let mut many = Headers::default();
    for number in 0..65 {
        many.push(format!("x-{number}"), "1");
    }
    let too_long = Bytes::from(vec![b'x'; 1024 * 1024 + 1]);
    for (wrong, why) in [
        (Request { method: "CONNECT".to_owned(), ..good() }, "method `CONNECT`"),
        (Request { method: "post".to_owned(), ..good() }, "method `post`"),
        (Request { url: "ftp://example.com/".to_owned(), ..good() }, "http"),
        (request("http://127.0.0.2/hook"), "wanted to send to 127.0.0.2"),
        (Request { headers: many, ..good() }, "more than 64 headers"),
        (with("Host", "elsewhere"), "is set by the host"),
        (with("webhook-signature", "v1,forged"), "is set by the host"),
        (with("x team", "payments"), "not a header name"),
        (with("x-team", "a\r\nhost: b"), "control characters"),
        (Request { body: too_long, ..good() }, "over 1048576 bytes"),
    ] {
        let refused = failure(&egress, &endpoint, &wrong).await;
        let TransportError::Forbidden(told) = refused else { panic!("{why}: {refused:?}") };
        assert!(told.contains(why), "{why}: {told}");
    }
    assert_eq!(target.connections(), 0, "nothing was sent");
    assert!(matches!(perform(&egress, &endpoint, &good()).await, Outcome::Response(_)));
}

#[tokio::test]
async fn a_refused_url_does_not_show_the_secret_that_was_filled_into_it() {
    let egress = door();
    let endpoint = endpoint("https://example.com/");
    let wrong = request(&format!("http://127.0.0.1/{}", reference(&endpoint)));
    let told = failure(&egress, &endpoint, &wrong).await.to_string();
    assert!(told.contains("may send to example.com") && !told.contains("t0ken"), "{told}");
    let wrong = request(&format!("https://example.com/#{}", reference(&endpoint)));
    let told = failure(&egress, &endpoint, &wrong).await.to_string();
    assert!(told.starts_with("forbidden: ") && !told.contains("t0ken"), "{told}");
}

#[tokio::test]
async fn what_is_revealed_is_what_is_sent() {
    let mut target = Target::answering(ok("", "")).await;
    let (egress, endpoint) = (door(), endpoint(&target.url()));
    let mut wanted = request(&target.url());
    let reference = reference(&endpoint);
    wanted.headers.push("content-type", "application/json");
    wanted.headers.push("x-token", &reference);
    wanted.body = format!(r#"{{"token":"{reference}"}}"#).into();
    let revealed = egress.reveal(&wanted, &endpoint, &[], "dlv_1", NOW).unwrap();
    assert_eq!(revealed.headers.get("x-token"), Some(TOKEN));
    let read: serde_json::Value = serde_json::from_slice(&revealed.body).unwrap();
    assert_eq!(read["token"], TOKEN, "escaped as JSON wants it");
    assert!(revealed.headers.get("webhook-signature").unwrap().starts_with("v1,"));

    perform(&egress, &endpoint, &wanted).await;
    let sent = String::from_utf8(target.received.recv().await.unwrap()).unwrap();
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.as_bytes(), revealed.body);
    for (name, value) in revealed.headers.iter() {
        assert!(head.contains(&format!("\r\n{name}: {value}\r\n")), "{name} in {head}");
    }
    let refused = Request { method: "TRACE".to_owned(), ..wanted };
    assert!(egress.reveal(&refused, &endpoint, &[], "dlv_1", NOW).is_err());
}

#[tokio::test]
async fn a_value_that_a_target_echoes_comes_back_as_its_reference() {
    let answer = ok(&format!("x-echo: {TOKEN}\r\n"), &format!("you sent {TOKEN}"));
    let target = Target::answering(answer).await;
    let endpoint = endpoint(&target.url());
    let outcome = perform(&door(), &endpoint, &request(&target.url())).await;
    let Outcome::Response(response) = outcome else { panic!("{outcome:?}") };
    let reference = reference(&endpoint);
    assert_eq!(response.headers.get("x-echo"), Some(reference.as_str()));
    assert_eq!(response.body, format!("you sent {reference}"));
}

#[tokio::test]
async fn a_target_that_keeps_silent_is_left_at_the_deadline_that_it_missed() {
    let short = Duration::from_millis(100);
    let long = Duration::from_secs(60);
    let silent = Target::answering("").await;
    let halting = Target::answering("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhal").await;
    let encrypted = silent.url().replace("http://", "https://");
    let first_byte = Deadlines { connect: long, first_byte: short, total: long };
    let total = Deadlines { connect: long, first_byte: long, total: short };
    let connect = Deadlines { connect: short, first_byte: long, total: long };
    for (url, deadlines, why) in [
        (silent.url(), first_byte, "no answer within 100 ms"),
        (halting.url(), total, "no whole answer within the deadline"),
        (encrypted, connect, "no connection within the connect deadline"),
    ] {
        let egress = door_with(deadlines);
        let failed = failure(&egress, &endpoint(&url), &request(&url)).await;
        assert_eq!(failed, TransportError::Timeout(why.to_owned()), "{url}");
    }
}
