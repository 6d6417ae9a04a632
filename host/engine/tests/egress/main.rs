//! The one door, on real sockets: what does not get out, what gets out, and what
//! is told of what comes back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod names;
mod scene;
mod secrets;

use std::time::Duration;

use alerts_domain::address::AddressRules;
use alerts_domain::exchange::{Outcome, Request, TransportError};
use alerts_domain::header::Headers;
use alerts_engine::{Deadlines, Egress};
use bytes::Bytes;

use scene::{
    NOW, TOKEN, Target, door, door_with, endpoint, failure, ok, perform, reference, request,
};

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
        (request("http://127.0.0.2/hook"), "wanted to send to http://127.0.0.2"),
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
async fn a_target_that_keeps_silent_is_left_at_the_deadline_that_it_missed() {
    let short = Duration::from_millis(100);
    let long = Duration::from_secs(60);
    let silent = Target::answering("").await;
    let encrypted = silent.url().replace("http://", "https://");
    let first_byte = Deadlines { connect: long, first_byte: short, total: long };
    let total = Deadlines { connect: long, first_byte: long, total: short };
    let connect = Deadlines { connect: short, first_byte: long, total: long };
    for (url, deadlines, why) in [
        (silent.url(), first_byte, "no answer within 100 ms"),
        (silent.url(), total, "no answer within 100 ms"),
        (encrypted, connect, "no connection within the connect deadline"),
    ] {
        let egress = door_with(deadlines);
        let failed = failure(&egress, &endpoint(&url), &request(&url)).await;
        assert_eq!(failed, TransportError::Timeout(why.to_owned()), "{url}");
    }
}
