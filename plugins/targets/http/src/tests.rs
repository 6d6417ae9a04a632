use super::*;
use exosphere_alerts_sdk::SecretRef;

const ALERT: &[u8] = br#"{"version":1,"type":"workflow.failed"}"#;

fn delivery(settings: &str) -> Delivery {
    Delivery {
        id: "dlv_01".into(),
        attempt: 1,
        now: 1_767_225_600_000,
        seed: 7,
        alert: ALERT.to_vec(),
        endpoint: Endpoint {
            url: "https://example.com/hook".into(),
            settings: settings.into(),
            headers: vec![("X-Team".into(), "payments".into())],
            secrets: vec![SecretRef { name: "token".into(), reference: "{{secret:token}}".into() }],
            extensions: Vec::new(),
        },
        extensions: Vec::new(),
    }
}

fn sent(delivery: Delivery) -> Request {
    match Http::next(delivery, Vec::new()) {
        Step::SendLast(request) => request,
        other => panic!("expected one last request, got {other:?}"),
    }
}

fn header<'r>(request: &'r Request, name: &str) -> Vec<&'r str> {
    let headers = request.headers.iter();
    headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect()
}

#[test]
fn without_settings_the_alert_is_posted_as_it_is_and_signed() {
    let request = sent(delivery("{}"));
    assert_eq!(
        request,
        Request {
            method: "POST".into(),
            url: "https://example.com/hook".into(),
            headers: vec![
                ("X-Team".into(), "payments".into()),
                ("content-type".into(), "application/json".into()),
            ],
            body: ALERT.to_vec(),
            sign: true,
            extensions: Vec::new(),
        }
    );
}

#[test]
fn a_content_type_of_the_tenant_is_kept() {
    let mut delivery = delivery("{}");
    delivery.endpoint.headers = vec![("Content-Type".into(), "application/vnd.x+json".into())];
    assert_eq!(header(&sent(delivery), "content-type"), ["application/vnd.x+json"]);
}

#[test]
fn the_method_and_the_query_come_from_the_settings() {
    let settings = r#"{"method":"PUT","query":{"b":"ü/ &","a":"1"}}"#;
    let mut delivery = delivery(settings);
    delivery.endpoint.url = "https://example.com/hook?x={{secret:url}}#here".into();
    let request = sent(delivery);
    assert_eq!(request.method, "PUT");
    assert_eq!(request.url, "https://example.com/hook?x={{secret:url}}&a=1&b=%C3%BC%2F%20%26#here");
}

#[test]
fn authentication_sends_the_reference_and_never_a_value() {
    for (settings, name, value) in [
        (r#"{"auth":{"type":"bearer"}}"#, "authorization", "Bearer {{secret:token}}"),
        (r#"{"auth":{"type":"basic"}}"#, "authorization", "Basic {{secret:token}}"),
        (r#"{"auth":{"type":"api_key"}}"#, "x-api-key", "{{secret:token}}"),
        (r#"{"auth":{"type":"api_key","header":"X-Key"}}"#, "x-key", "{{secret:token}}"),
    ] {
        assert_eq!(header(&sent(delivery(settings)), name), [value], "{settings}");
    }
}

#[test]
fn authentication_without_its_secret_is_rejected_with_what_to_add() {
    let mut delivery = delivery(r#"{"auth":{"type":"bearer"}}"#);
    delivery.endpoint.secrets.clear();
    let Step::Done(Verdict::Rejected(reason)) = Http::next(delivery, Vec::new()) else {
        panic!("expected a rejection");
    };
    assert!(reason.contains("no secret named `token`"), "{reason}");
}

#[test]
fn settings_that_do_not_fit_are_refused_with_a_pointer() {
    assert_eq!(Http::check(Settings::new("{}")), Ok(()));
    for (settings, pointer) in [
        (r#"{"method":"GET"}"#, "/method"),
        (r#"{"query":{"a":1}}"#, "/query/a"),
        (r#"{"auth":{"type":"digest"}}"#, "/auth/type"),
        (r#"{"retries":1}"#, "/retries"),
    ] {
        let problems = Http::check(Settings::new(settings)).unwrap_err();
        assert_eq!(problems[0].pointer, pointer, "{settings}: {problems:?}");
    }
}
