//! C: ntfy.

use alerts_domain::exchange::Verdict;
use serde_json::json;

use crate::example::{Example, alert};

const URL: &str = "https://ntfy.sh/ref-url";

#[tokio::test]
async fn ntfy_gets_the_alert_as_text_and_nothing_of_it_in_headers() {
    let mut ntfy = Example::load("ntfy", URL, &["token"]);
    ntfy.settings(&json!({"priority": 5, "tags": ["data", "eu"], "click": "https://example.com/"}));
    let request = ntfy.sent().await;
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", URL));
    assert_eq!(
        request.headers.iter().collect::<Vec<_>>(),
        [
            ("content-type", "text/plain; charset=utf-8"),
            ("title", "Workflow failed"),
            ("priority", "5"),
            ("tags", "rotating_light,data,eu"),
            ("click", "https://example.com/"),
            ("authorization", "Bearer ref-token"),
            ("X-Team", "data"),
        ]
    );
    let text = "Graph: étl\t@everyone [x](https://example.com) 😀\nRun: 12345678901234567890\n\
        Status: FAILED\nErrors: 3\nNamespace: prod\nRule: Failed \"runs\"\n\
        Time: 2026-01-01T00:00:00Z";
    assert_eq!(String::from_utf8_lossy(&request.body), text);
}

#[tokio::test]
async fn ntfy_needs_no_token_and_names_an_event_that_it_does_not_know() {
    let mut ntfy = Example::load("ntfy", URL, &[]);
    let mut unknown = alert("billing.über");
    unknown["workflow"] = json!({"graph_name": "ü".repeat(10_000)});
    ntfy.alert(&unknown);
    let request = ntfy.sent().await;
    assert_eq!(request.headers.get("title"), Some("Alert"));
    assert_eq!(request.headers.get("priority"), Some("3"));
    assert_eq!(request.headers.get("authorization"), None);
    let text = String::from_utf8(request.body.to_vec()).unwrap();
    assert!(text.starts_with(&format!("Event: billing.über\nGraph: {}…\n", "ü".repeat(150))));
}

#[tokio::test]
async fn ntfy_answers_have_their_verdicts() {
    let mut ntfy = Example::load("ntfy", URL, &[]);
    let published = r#"{"id":"hwQ2YpKdmg","time":1635528757,"event":"message","topic":"t"}"#;
    assert_eq!(
        ntfy.verdict(200, &[], published).await,
        Verdict::Delivered(Some("hwQ2YpKdmg".into()))
    );
    assert_eq!(ntfy.verdict(200, &[], "ok").await, Verdict::Delivered(None));
    for status in [404, 410] {
        assert!(matches!(ntfy.verdict(status, &[], "").await, Verdict::Gone(_)), "{status}");
    }
    let forbidden =
        r#"{"code":40301,"http":403,"error":"forb\u00efdden","link":"https://ntfy.sh/docs"}"#;
    let reason = "ntfy answered 403: forb??dden; check the endpoint's secret `token`";
    assert_eq!(ntfy.verdict(403, &[], forbidden).await, Verdict::Rejected(reason.into()));
    let limited = r#"{"code":42901,"http":429,"error":"limit reached: too many requests"}"#;
    let reason = "ntfy answered 429: limit reached: too many requests".to_owned();
    assert_eq!(ntfy.verdict(429, &[], limited).await, Verdict::Retry { after_ms: None, reason });
    ntfy.takes_what_any_server_may_answer().await;
    ntfy.sends_whatever_an_event_holds().await;
}

#[tokio::test]
async fn ntfy_refuses_a_page_that_is_no_link() {
    let ntfy = Example::load("ntfy", URL, &[]);
    assert_eq!(ntfy.problems(&json!({"click": "https://example.com/\u{61}"})).await, []);
    assert_eq!(ntfy.problems(&json!({"tags": ["a", "b"]})).await, []);
    for click in ["", "http://example.com", "https://", "https://example.com/a b"] {
        let problems = ntfy.problems(&json!({"click": click})).await;
        assert_eq!(problems.first().map(|one| one.pointer.as_str()), Some("/click"), "{click}");
    }
}
