//! Rust: Opsgenie. Its own tests say more; this is what the sandbox adds.

use alerts_domain::exchange::Verdict;
use serde_json::json;

use crate::example::{Example, alert, body};

const URL: &str = "https://api.opsgenie.com/v2/alerts";

#[tokio::test]
async fn opsgenie_opens_an_alert_and_closes_it_under_the_same_alias() {
    let mut opsgenie = Example::load("opsgenie", URL, &["api_key"]);
    opsgenie.settings(&json!({"priority": "P1"}));
    let opening = opsgenie.sent().await;
    assert_eq!((opening.method.as_str(), opening.url.as_str()), ("POST", URL));
    assert_eq!(opening.headers.get("authorization"), Some("GenieKey ref-api_key"));
    let opened = body(&opening);
    assert_eq!((&opened["priority"], &opened["responders"]), (&json!("P1"), &json!([])));
    let alias = opened["alias"].as_str().unwrap();
    assert!(alias.ends_with("/12345678901234567890"), "{alias}");

    opsgenie.alert(&alert("workflow.succeeded"));
    let closing = opsgenie.sent().await;
    let encoded = alias.replace('%', "%25").replace('/', "%2F");
    assert_eq!(closing.url, format!("{URL}/{encoded}/close?identifierType=alias"));
}

#[tokio::test]
async fn opsgenie_answers_have_their_verdicts() {
    let mut opsgenie = Example::load("opsgenie", URL, &["api_key"]);
    let accepted = r#"{"result":"Request will be processed","took":0.3,"requestId":"43a29c5c"}"#;
    let id = Some("43a29c5c".to_owned());
    assert_eq!(opsgenie.verdict(202, &[], accepted).await, Verdict::Delivered(id));
    // One address serves every account.
    assert!(matches!(opsgenie.verdict(404, &[], "").await, Verdict::Rejected(_)));
    assert!(matches!(opsgenie.verdict(410, &[], "").await, Verdict::Gone(_)));
    opsgenie.takes_what_any_server_may_answer().await;
    opsgenie.sends_whatever_an_event_holds().await;
}

#[tokio::test]
async fn opsgenie_rejects_a_delivery_without_its_key_and_settings_it_does_not_know() {
    let opsgenie = Example::load("opsgenie", URL, &[]);
    let problems = opsgenie.problems(&json!({"priority": 1})).await;
    assert_eq!(problems[0].pointer, "/priority");
    assert_eq!(opsgenie.problems(&json!({})).await, []);
}
