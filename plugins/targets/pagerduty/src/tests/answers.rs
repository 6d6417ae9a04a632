use super::*;

fn answered(status: u16, body: &str) -> Verdict {
    verdict(response(status, body, &[]))
}

fn response(status: u16, body: &str, headers: &[(&str, &str)]) -> Outcome {
    Outcome::Response(Response {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        body: body.into(),
        truncated: false,
        extensions: Vec::new(),
    })
}

#[test]
fn an_accepted_event_is_delivered_and_its_key_kept() {
    let body = r#"{"status":"success","message":"Event processed","dedup_key":"exosphere/run/a"}"#;
    assert_eq!(answered(202, body), Verdict::Delivered(Some("exosphere/run/a".into())));
    for body in ["", "<html>", r#"{"status":"success"}"#, "[]"] {
        assert_eq!(answered(202, body), Verdict::Delivered(None), "{body}");
    }
}

#[test]
fn an_invalid_event_is_rejected_in_the_words_of_pagerduty() {
    let body = r#"{"status":"invalid event","message":"Event object is invalid",
        "errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#;
    let reason = "PagerDuty answered 400: Event object is invalid; Length of 'routing_key' is \
                  incorrect (should be 32 characters)";
    assert_eq!(answered(400, body), Verdict::Rejected(reason.into()));
    let reason = "PagerDuty answered 400: <h1>Bad Request</h1>";
    assert_eq!(answered(400, "<h1>Bad Request</h1>\n"), Verdict::Rejected(reason.into()));
    assert!(matches!(answered(413, ""), Verdict::Rejected(_)));
}

#[test]
fn a_wrong_address_or_a_login_is_rejected_and_leaves_the_rule_on() {
    for (status, advice) in [(401, "proxy"), (404, "target_url"), (405, "target_url")] {
        let Verdict::Rejected(reason) = answered(status, "") else {
            panic!("{status} is not rejected");
        };
        assert!(reason.contains(advice), "{reason}");
    }
}

#[test]
fn only_an_address_that_was_retired_is_gone() {
    assert_eq!(answered(410, ""), Verdict::Gone("PagerDuty answered 410".into()));
}

#[test]
fn too_many_requests_wait_as_long_as_pagerduty_asks() {
    let busy = verdict(response(429, "", &[("Retry-After", "60")]));
    assert_eq!(busy, Verdict::retry(Some(60_000), "PagerDuty answered 429"));
    assert_eq!(answered(429, ""), Verdict::retry(None, "PagerDuty answered 429"));
}

#[test]
fn what_passes_by_itself_is_retried() {
    for status in [302, 403, 408, 500, 502, 503, 504] {
        assert!(matches!(answered(status, ""), Verdict::Retry(_)), "{status}");
    }
    let body = r#"{"status":"Unrecognized object","message":"oops","errors":["JSON parse error"]}"#;
    let reason = "PagerDuty answered 500: oops; JSON parse error";
    assert_eq!(answered(500, body), Verdict::retry(None, reason));
}

#[test]
fn an_answer_that_never_came_is_retried() {
    for error in [
        TransportError::Dns("x".into()),
        TransportError::Connect("x".into()),
        TransportError::Tls("x".into()),
        TransportError::Timeout("x".into()),
        TransportError::Forbidden("x".into()),
        TransportError::Protocol("x".into()),
    ] {
        let reason = error.reason();
        assert_eq!(verdict(Outcome::Failed(error)), Verdict::retry(None, reason));
    }
}
