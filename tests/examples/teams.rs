//! Python: Microsoft Teams.

use alerts_domain::exchange::Verdict;
use serde_json::json;

use crate::example::{Example, body};

const URL: &str = "https://prod-00.westus.logic.azure.com/ref-url";

#[tokio::test]
async fn teams_gets_a_card_that_shows_text_as_it_is() {
    let mut teams = Example::load("teams", URL, &[]);
    teams.settings(&json!({"title": "Data", "dashboard_url": "https://example.com/"}));
    let request = teams.sent().await;
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", URL));
    let headers = [("content-type", "application/json"), ("X-Team", "data")];
    assert_eq!(request.headers.iter().collect::<Vec<_>>(), headers);
    let line = |runs| json!({"type": "RichTextBlock", "inlines": runs, "spacing": "Small"});
    let fact = |label: &str, value: &str| {
        line(json!([
            {"type": "TextRun", "text": label, "isSubtle": true},
            {"type": "TextRun", "text": value},
        ]))
    };
    let headline = "Workflow failed: étl\t@everyone [x](https://example.com) 😀";
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            line(json!([{"type": "TextRun", "text": "Data", "weight": "Bolder"}])),
            line(json!([{
                "type": "TextRun", "text": headline,
                "size": "Large", "weight": "Bolder", "color": "Attention",
            }])),
            line(json!([
                {"type": "TextRun", "text": "Failed \"runs\", in prod", "isSubtle": true},
            ])),
            fact("Run: ", "12345678901234567890"),
            fact("Status: ", "FAILED"),
            fact("Errors: ", "3"),
            line(json!([{
                "type": "TextRun", "text": "2026-01-01T00:00:00Z", "size": "Small", "isSubtle": true,
            }])),
        ],
        "actions": [
            {"type": "Action.OpenUrl", "title": "Open the dashboard", "url": "https://example.com/"},
        ],
    });
    let content_type = "application/vnd.microsoft.card.adaptive";
    assert_eq!(
        body(&request),
        json!({
            "type": "message",
            "attachments": [{"contentType": content_type, "content": card}],
        })
    );
}

#[tokio::test]
async fn teams_answers_have_their_verdicts() {
    let mut teams = Example::load("teams", URL, &[]);
    for status in [200, 202] {
        assert_eq!(teams.verdict(status, &[], "").await, Verdict::Delivered(None));
    }
    let missing = r#"{"error": {"code": "WorkflowNotFound", "message": "No such workflow."}}"#;
    for status in [404, 410] {
        let reason = format!(
            "the workflow answered {status}: WorkflowNotFound: No such workflow.; \
             make a new workflow and set the endpoint's URL"
        );
        assert_eq!(teams.verdict(status, &[], missing).await, Verdict::Gone(reason));
    }
    assert!(matches!(teams.verdict(401, &[], "").await, Verdict::Rejected(_)));
    let date = [("retry-after", "Thu, 01 Jan 2026 00:01:00 GMT")];
    assert_eq!(
        teams.verdict(429, &date, "").await,
        Verdict::Retry { after_ms: Some(60_000), reason: "the workflow answered 429".into() }
    );
    teams.takes_what_any_server_may_answer().await;
    teams.sends_whatever_an_event_holds().await;
}

#[tokio::test]
async fn teams_refuses_a_dashboard_without_a_host() {
    let teams = Example::load("teams", URL, &[]);
    assert_eq!(teams.problems(&json!({"dashboard_url": "https://example.com"})).await, []);
    let problems = teams.problems(&json!({"dashboard_url": "https:///x"})).await;
    assert_eq!(problems[0].pointer, "/dashboard_url");
}
