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
fn ok_is_delivered() {
    assert_eq!(answered(200, "ok"), Verdict::Delivered(None));
    assert_eq!(answered(200, "ok\n"), Verdict::Delivered(None));
}

#[test]
fn another_word_with_a_2xx_is_delivered_and_noted() {
    let Verdict::Delivered(Some(note)) = answered(200, "<html>\nSign in") else {
        panic!("expected a note");
    };
    assert!(note.contains("<html> Sign in"), "{note}");
}

#[test]
fn each_of_slacks_refusals_is_gone_or_rejected_with_what_to_do() {
    for (status, word, is_gone, advice) in [
        // The webhook, its channel or its workspace is no more.
        (404, "no_service", true, "make a new one"),
        (404, "no_service_id", true, "make a new one"),
        (410, "no_active_hooks", true, "make a new one"),
        (403, "invalid_token", true, "make a new one"),
        (404, "no_team", true, "workspace does not exist"),
        (403, "team_disabled", true, "workspace is switched off"),
        (404, "channel_not_found", true, "channel was deleted"),
        (410, "channel_is_archived", true, "restore the channel"),
        // This message will never be taken; another may be.
        (400, "user_not_found", false, "make a new webhook"),
        (403, "action_prohibited", false, "administrator"),
        (403, "posting_to_general_channel_denied", false, "only some members"),
        (400, "invalid_payload", false, "report it"),
        (400, "invalid_blocks", false, "report it"),
        (400, "invalid_blocks_format", false, "report it"),
        (400, "no_text", false, "report it"),
        (400, "msg_too_long", false, "report it"),
        (400, "msg_blocks_too_long", false, "report it"),
        (400, "too_many_attachments", false, "report it"),
        (400, "missing_text_or_fallback_or_attachments", false, "report it"),
        // The word decides, not the status that comes with it.
        (400, "no_service", true, "make a new one"),
        (404, "user_not_found", false, "make a new webhook"),
    ] {
        let (was_gone, reason) = match answered(status, word) {
            Verdict::Gone(reason) => (true, reason),
            Verdict::Rejected(reason) => (false, reason),
            other => panic!("{status} {word}: {other:?}"),
        };
        assert_eq!(was_gone, is_gone, "{status} {word}: {reason}");
        assert!(reason.contains(&format!("Slack answered {status}: {word}")), "{reason}");
        assert!(reason.contains(advice), "{reason}");
    }
}

#[test]
fn a_refusal_without_a_known_word_is_judged_by_its_status() {
    for status in [404, 410] {
        for word in ["<html>Not Found</html>", ""] {
            assert!(matches!(answered(status, word), Verdict::Gone(_)), "{status} {word}");
        }
    }
    for (status, word) in [(403, "something_new"), (400, "something_new"), (401, ""), (413, "")] {
        let Verdict::Rejected(reason) = answered(status, word) else {
            panic!("{status} {word} is not rejected");
        };
        assert!(reason.contains(word) && reason.contains(&status.to_string()), "{reason}");
    }
}

#[test]
fn too_many_requests_wait_as_long_as_slack_asks() {
    let busy = verdict(response(429, "rate_limited", &[("retry-after", "30")]));
    assert_eq!(busy, Verdict::retry(Some(30_000), "Slack answered 429: rate_limited"));
    assert_eq!(answered(429, ""), Verdict::retry(None, "Slack answered 429"));
}

#[test]
fn a_server_error_or_a_redirect_is_retried() {
    for status in [301, 302, 408, 500, 502, 503, 504] {
        assert!(matches!(answered(status, "rollup_error"), Verdict::Retry(_)), "{status}");
    }
    let down = verdict(response(503, "", &[("Retry-After", "Thu, 01 Jan 2026 00:01:00 GMT")]));
    assert_eq!(down, Verdict::retry(Some(60_000), "Slack answered 503"));
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

#[test]
fn a_body_that_is_not_text_does_not_confuse_the_verdict() {
    let Outcome::Response(mut noise) = response(500, "", &[]) else { unreachable!() };
    noise.body = vec![0xff, 0x00, b'\n', 0xfe];
    assert!(matches!(verdict(Outcome::Response(noise)), Verdict::Retry(_)));
}
