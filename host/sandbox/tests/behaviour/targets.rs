//! Target adapters that behave: each answer of the contract reaches the host as
//! it was meant, and each argument reaches the guest.

use alerts_domain::exchange::{
    Exchange, Outcome, Request, Response, Step, TransportError, Verdict,
};
use alerts_domain::header::Headers;
use alerts_domain::problem::FieldError;
use bytes::Bytes;

use crate::bench::{Bench, delivery};
use crate::guest::{Target, step};

fn request() -> Request {
    Request {
        method: "PUT".into(),
        url: "https://example.com/tickets?a=ü".into(),
        headers: Headers::from_iter([("x-one", "1"), ("x-one", "2"), ("x-two", "")]),
        body: Bytes::from_static(&[0, 0xff, b'{']),
        sign: true,
    }
}

#[tokio::test]
async fn every_step_that_an_adapter_can_answer_is_read_as_it_was_meant() {
    let bench = Bench::new();
    let empty = Request {
        method: String::new(),
        url: String::new(),
        headers: Headers::default(),
        body: Bytes::new(),
        sign: false,
    };
    let retry = |after_ms| Verdict::Retry { after_ms, reason: "not now".into() };
    for wanted in [
        Step::Send(request()),
        Step::Send(empty),
        Step::SendLast(request()),
        Step::Done(Verdict::Delivered(None)),
        Step::Done(Verdict::Delivered(Some("msg-1 ✓".into()))),
        Step::Done(retry(None)),
        Step::Done(retry(Some(0x0102_0304_0506_0708))),
        Step::Done(Verdict::Rejected("never".into())),
        Step::Done(Verdict::Gone("no such channel".into())),
    ] {
        let adapter = Target::new().answering(|image| step::area(image, &wanted));
        let plugin = bench.load(&adapter.pack());
        assert_eq!(bench.next(&plugin).await, Ok(wanted));
    }
}

#[tokio::test]
async fn problems_with_the_settings_come_with_their_places() {
    let bench = Bench::new();
    let plugin = bench.load(
        &Target::new()
            .checking(|image| {
                let first = [image.bytes(b"/channel"), image.bytes(b"is not a channel")];
                let second = [image.bytes(b""), image.bytes(b"too many keys")];
                let problems = image.words([first, second].as_flattened().as_flattened());
                image.words(&[1, problems, 2])
            })
            .pack(),
    );
    let problems = bench.check(&plugin, Bytes::from_static(b"{}")).await.unwrap();
    assert_eq!(
        problems,
        Err(vec![
            FieldError::new("/channel", "is not a channel"),
            FieldError::new("", "too many keys"),
        ])
    );
}

/// The argument of `next` in memory, as the canonical ABI lays it out: the
/// delivery, and then the list of exchanges.
mod call {
    pub(super) const ID: u32 = 0;
    pub(super) const ATTEMPT: u32 = 8;
    pub(super) const NOW: u32 = 16;
    pub(super) const SEED: u32 = 24;
    pub(super) const ALERT: u32 = 32;
    pub(super) const URL: u32 = 40;
    pub(super) const SETTINGS: u32 = 48;
    pub(super) const HEADERS: u32 = 56;
    pub(super) const SECRETS: u32 = 64;
    pub(super) const EXCHANGES: u32 = 88;
}

/// An adapter that answers `rejected` with the text at this place of its argument.
fn echoes(place: &str) -> Target {
    let mut adapter = Target::new();
    let mut area = 0;
    adapter = adapter.answering(|image| {
        area = image.words(&step::rejected([0, 0]));
        area
    });
    adapter.before_answering(&format!(
        "(local.set $i {place})
         (i32.store (i32.const {}) (i32.load (local.get $i)))
         (i32.store (i32.const {}) (i32.load offset=4 (local.get $i)))",
        area + 16,
        area + 20,
    ))
}

/// `at` is a pointer to a list's pointer and length.
fn first_element(at: &str, offset: u32) -> String {
    format!("(i32.add (i32.load {at}) (i32.const {offset}))")
}

fn argument(offset: u32) -> String {
    format!("(i32.add (local.get $call) (i32.const {offset}))")
}

#[tokio::test]
async fn an_adapter_is_told_all_about_the_delivery() {
    let bench = Bench::new();
    let told = delivery();
    let places = [
        (argument(call::ID), told.id.as_str()),
        (argument(call::ALERT), r#"{"id":"dlv_1"}"#),
        (argument(call::URL), told.endpoint.url.as_str()),
        (argument(call::SETTINGS), "{}"),
        (first_element(&argument(call::HEADERS), 0), "x-team"),
        (first_element(&argument(call::HEADERS), 8), "ops"),
        (first_element(&argument(call::SECRETS), 0), "token"),
        (first_element(&argument(call::SECRETS), 8), "{{secret:token}}"),
    ];
    for (place, wanted) in places {
        let plugin = bench.load(&echoes(&place).pack());
        let step = bench.next(&plugin).await;
        assert_eq!(step, Ok(Step::Done(Verdict::Rejected(wanted.into()))), "{place}");
    }
    for (load, offset, wanted) in [
        ("i64.load32_u", call::ATTEMPT, u64::from(told.attempt)),
        ("i64.load", call::NOW, told.now_ms),
        ("i64.load", call::SEED, told.seed),
    ] {
        // As the delay of a `retry`, which is a 64-bit number too.
        let mut area = 0;
        let adapter = Target::new()
            .answering(|image| {
                area = image.words(&[step::DONE, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
                area
            })
            .before_answering(&format!(
                "(i64.store (i32.const {}) ({load} {}))",
                area + 24,
                argument(offset)
            ));
        let step = bench.next(&bench.load(&adapter.pack())).await;
        let retry = Verdict::Retry { after_ms: Some(wanted), reason: String::new() };
        assert_eq!(step, Ok(Step::Done(retry)), "{offset}");
    }
}

#[tokio::test]
async fn an_adapter_is_shown_what_its_requests_came_to() {
    let bench = Bench::new();
    let response = Response {
        status: 503,
        headers: Headers::from_iter([("retry-after", "9")]),
        body: Bytes::from_static(b"down"),
        truncated: true,
        incomplete: None,
    };
    let answered = Exchange { request: request(), outcome: Outcome::Response(response) };
    // An exchange is a request of 44 bytes, then the outcome's case, then what it holds.
    let exchange = |offset| first_element(&argument(call::EXCHANGES), offset);
    for (place, wanted) in [
        (exchange(0), "PUT"),
        (first_element(&exchange(16), 0), "x-one"),
        (first_element(&exchange(52), 8), "9"),
        (exchange(60), "down"),
    ] {
        let plugin = bench.load(&echoes(&place).pack());
        let step = bench.next_after(&plugin, std::slice::from_ref(&answered)).await;
        assert_eq!(step, Ok(Step::Done(Verdict::Rejected(wanted.into()))), "{place}");
    }

    let wrong = format!(
        "(if (i32.ne (i32.load16_u {}) (i32.const 503)) (then unreachable))
         (if (i32.ne (i32.load8_u {}) (i32.const 1)) (then unreachable))",
        exchange(48),
        exchange(68)
    );
    let plugin = bench.load(&Target::new().before_answering(&wrong).pack());
    bench.next_after(&plugin, &[answered]).await.expect("status and cut are as they were");

    let why: [fn(String) -> TransportError; 6] = [
        TransportError::Dns,
        TransportError::Connect,
        TransportError::Tls,
        TransportError::Timeout,
        TransportError::Forbidden,
        TransportError::Protocol,
    ];
    for (index, error) in why.into_iter().enumerate() {
        let case = format!(
            "(if (i32.ne (i32.load8_u {}) (i32.const {index})) (then unreachable))",
            exchange(48)
        );
        let plugin = bench.load(&echoes(&exchange(52)).before_answering(&case).pack());
        let outcome = Outcome::Failed(error("why".into()));
        let failed = Exchange { request: request(), outcome };
        let step = bench.next_after(&plugin, &[failed]).await;
        assert_eq!(step, Ok(Step::Done(Verdict::Rejected("why".into()))), "{index}");
    }
}
