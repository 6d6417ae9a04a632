//! Secrets go where they were meant to go, and do not come back.

use alerts_domain::exchange::{Outcome, Request, TransportError};
use alerts_domain::origin::Origin;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::scene::{
    NOW, TOKEN, Target, door, endpoint, endpoint_with, failure, ok, perform, reference, request,
};

#[tokio::test]
async fn a_refused_url_does_not_show_the_secret_that_was_filled_into_it() {
    let egress = door();
    let endpoint = endpoint("https://example.com/");
    let wrong = request(&format!("http://127.0.0.1/{}", reference(&endpoint)));
    let told = failure(&egress, &endpoint, &wrong).await.to_string();
    assert!(told.contains("may send to https://example.com") && !told.contains("t0ken"), "{told}");
    let wrong = request(&format!("https://example.com/#{}", reference(&endpoint)));
    let told = failure(&egress, &endpoint, &wrong).await.to_string();
    assert!(told.starts_with("forbidden: ") && !told.contains("t0ken"), "{told}");
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
async fn a_reference_in_scheme_host_or_port_shows_nothing_of_its_value() {
    // A value that would be a fine scheme, host and port.
    let (target, token) = (Target::answering(ok("", "")).await, "8080808080");
    let endpoint = endpoint_with(&target.url(), token);
    let reference = reference(&endpoint);
    for url in [
        format!("http://{reference}/"),
        format!("http://{reference}.example.com/"),
        format!("http://127.0.0.1:{reference}/"),
        format!("{reference}://127.0.0.1/"),
        format!("http://{reference}@127.0.0.1/"),
        format!("http://user:{reference}@127.0.0.1/"),
        format!("{}{reference}", target.url().trim_end_matches("/hook")),
        reference.clone(),
    ] {
        let refused = failure(&door(), &endpoint, &request(&url)).await;
        let TransportError::Forbidden(told) = refused else { panic!("{url}: {refused:?}") };
        assert!(!told.contains(token), "{url}: {told}");
        let revealed = door().reveal(&request(&url), &endpoint, &[], "dlv_1", NOW).unwrap_err();
        assert!(!revealed.to_string().contains(token), "{url}: {revealed}");
    }
    assert_eq!(target.connections(), 0, "nothing was sent");
}

#[tokio::test]
async fn a_secret_goes_to_its_own_scheme_host_and_port_alone() {
    let (own, other) = (Target::answering(ok("", "")).await, Target::answering(ok("", "")).await);
    let endpoint = endpoint(&own.url());
    let with_secret = |url: &str| {
        let mut request = request(url);
        request.headers.push("x-token", reference(&endpoint));
        request
    };
    for elsewhere in [
        other.url(),
        own.url().replace("http://", "https://"),
        format!("http://localhost:{}/hook", own.address.port()),
        format!("http://127.0.0.2:{}/hook", own.address.port()),
    ] {
        let refused = failure(&door(), &endpoint, &with_secret(&elsewhere)).await;
        let TransportError::Forbidden(told) = refused else { panic!("{elsewhere}: {refused:?}") };
        assert!(told.contains("may send to http://127.0.0.1:"), "{told}");
    }
    assert_eq!((own.connections(), other.connections()), (0, 0));
    // The other port, once it is granted with its scheme; a bare name means https.
    let granted = |text: &str| [Origin::parse(text).unwrap()];
    for (grant, is_sent) in [
        (format!("127.0.0.1:{}", other.address.port()), false),
        (format!("http://{}", other.address), true),
    ] {
        let request = with_secret(&other.url());
        let outcome = door().perform(&request, &endpoint, &granted(&grant), "dlv_1", NOW).await;
        assert_eq!(matches!(outcome, Outcome::Response(_)), is_sent, "{grant}: {outcome:?}");
    }
    assert_eq!(other.connections(), 1);
}

#[tokio::test]
async fn a_secret_comes_back_in_no_form_and_in_no_place() {
    let json = serde_json::Value::from(TOKEN).to_string();
    let json = json[1..json.len() - 1].replace('/', "\\/");
    let percent: String = TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let base64 = STANDARD.encode(format!("bot:{TOKEN}"));
    let padding = "x".repeat(16 * 1024 - 5);
    for body in [
        json.clone().into_bytes(),
        percent.clone().into_bytes(),
        base64.clone().into_bytes(),
        [&[0xff], TOKEN.as_bytes(), &[0xfe]].concat(),
        format!("{padding}{TOKEN}").into_bytes(),
        format!("{padding}{percent} and more").into_bytes(),
    ] {
        let head = format!(
            "HTTP/1.1 500 No\r\nx-json: {json}\r\nx-percent: {percent}\r\nx-base64: {base64}\r\n\
             x-long: {}{percent}\r\ncontent-length: {}\r\n\r\n",
            "y".repeat(1020),
            body.len()
        );
        let target = Target::answering([head.as_bytes(), &body].concat()).await;
        let endpoint = endpoint(&target.url());
        let outcome = perform(&door(), &endpoint, &request(&target.url())).await;
        let Outcome::Response(response) = outcome else { panic!("{outcome:?}") };
        let reference = reference(&endpoint);
        let encoded = STANDARD.encode(TOKEN);
        let seen = [b"t0ken".as_slice(), b"quoted", b"%74%30", &encoded.as_bytes()[4..12]];
        for secret in seen {
            let is_seen = response.body.windows(secret.len()).any(|window| window == secret);
            assert!(!is_seen, "{secret:?} in {}", String::from_utf8_lossy(&response.body));
            let secret = str::from_utf8(secret).unwrap();
            assert!(response.headers.iter().all(|(_, value)| !value.contains(secret)), "{secret}");
        }
        assert_eq!(response.headers.get("x-json"), Some(reference.as_str()));
        assert!(response.headers.get("x-base64").unwrap().contains(&reference));
    }
}

#[tokio::test]
async fn half_a_secret_at_the_end_of_a_broken_answer_is_taken_out() {
    let half = &TOKEN[..9];
    let answer = format!("HTTP/1.1 500 No\r\ncontent-length: 500\r\n\r\nyou sent {half}");
    let target = Target::behaving(move |mut connection, _| {
        let answer = answer.clone();
        async move {
            use tokio::io::AsyncWriteExt as _;
            // The connection is closed behind it.
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    })
    .await;
    let endpoint = endpoint(&target.url());
    let outcome = perform(&door(), &endpoint, &request(&target.url())).await;
    let Outcome::Response(response) = outcome else { panic!("{outcome:?}") };
    assert_eq!(response.body, format!("you sent {}", reference(&endpoint)));
}

#[tokio::test]
async fn a_request_that_its_secrets_make_too_large_is_refused_by_its_size() {
    let target = Target::answering(ok("", "")).await;
    let endpoint = endpoint_with(&target.url(), &"s".repeat(1024));
    let reference = reference(&endpoint);
    let body = Request { body: reference.repeat(21_000).into(), ..request(&target.url()) };
    let url = request(&format!("{}?a={reference}&b={reference}", target.url()));
    let mut header = request(&target.url());
    header.headers.push("x-many", reference.repeat(5));
    for (wrong, why) in [
        (body, "the body is over 1048576 bytes: 21504000"),
        (url, "the URL would be 2"),
        (header, "header `x-many` would be 5120 bytes long"),
    ] {
        let told = failure(&door(), &endpoint, &wrong).await.to_string();
        assert!(told.contains(why), "{why}: {told}");
    }
    assert_eq!(target.connections(), 0);
}
