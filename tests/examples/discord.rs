//! JavaScript: Discord.

use alerts_domain::exchange::Verdict;
use serde_json::json;

use crate::example::{Example, alert, body};

const URL: &str = "https://discord.com/ref-url";

#[tokio::test]
async fn discord_shows_the_alert_and_mentions_only_whom_it_should() {
    let mut discord = Example::load("discord", URL, &[]);
    discord.settings(&json!({"username": "Exosphere", "mention_role": "165511591545143296"}));
    let request = discord.sent().await;
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", URL));
    let headers = [("content-type", "application/json"), ("X-Team", "data")];
    assert_eq!(request.headers.iter().collect::<Vec<_>>(), headers);
    assert_eq!(
        body(&request),
        json!({
            "username": "Exosphere",
            "content": "<@&165511591545143296>",
            "allowed_mentions": {"parse": [], "roles": ["165511591545143296"]},
            "embeds": [{
                "title": "Workflow failed\\: étl\t\\@everyone \\[x\\]\\(https\\://example.com\\) 😀",
                "description": "Failed \"runs\", in prod",
                "color": 0xd13c3c,
                "fields": [
                    {"name": "Run", "value": "12345678901234567890", "inline": true},
                    {"name": "Status", "value": "FAILED", "inline": true},
                    {"name": "Errors", "value": "3", "inline": true},
                ],
                "timestamp": "2026-01-01T00:00:00Z",
            }],
        })
    );

    discord.alert(&alert("workflow.succeeded"));
    let quiet = body(&discord.sent().await);
    assert_eq!(quiet["allowed_mentions"], json!({"parse": [], "roles": []}));
    assert_eq!(quiet.get("content"), None);
}

#[tokio::test]
async fn discord_stays_within_the_limits_of_a_message() {
    let mut discord = Example::load("discord", URL, &[]);
    let mut long = alert("workflow.failed");
    for name in ["graph_name", "run_id", "status", "failed_state_id", "duration_ms"] {
        long["workflow"][name] = json!("*".repeat(10_000));
    }
    discord.alert(&long);
    let message = body(&discord.sent().await);
    let embed = &message["embeds"][0];
    let chars = |text: &serde_json::Value| text.as_str().unwrap().chars().count();
    assert!(chars(&embed["title"]) <= 256);
    let fields = embed["fields"].as_array().unwrap();
    assert!(fields.iter().all(|field| chars(&field["value"]) <= 1024));
    assert!(fields.iter().map(|field| chars(&field["value"])).sum::<usize>() < 5000);
}

#[tokio::test]
async fn discord_answers_have_their_verdicts() {
    let mut discord = Example::load("discord", URL, &[]);
    assert_eq!(discord.verdict(204, &[], "").await, Verdict::Delivered(None));
    for status in [404, 410] {
        let unknown = r#"{"message": "Unknown Webhook", "code": 10015}"#;
        let reason = format!(
            "Discord answered {status}: Unknown Webhook; make a new webhook and set the endpoint's URL"
        );
        assert_eq!(discord.verdict(status, &[], unknown).await, Verdict::Gone(reason));
    }
    let limited =
        r#"{"message": "You are being rate limited.", "retry_after": 0.2505, "global": false}"#;
    assert_eq!(
        discord.verdict(429, &[("retry-after", "1")], limited).await,
        Verdict::Retry {
            after_ms: Some(251),
            reason: "Discord answered 429: You are being rate limited.".into()
        }
    );
    discord.takes_what_any_server_may_answer().await;
    discord.sends_whatever_an_event_holds().await;
}

#[tokio::test]
async fn discord_refuses_a_name_that_discord_would_refuse() {
    let discord = Example::load("discord", URL, &[]);
    assert_eq!(discord.problems(&json!({"username": "Exosphere"})).await, []);
    let problems = discord.problems(&json!({"username": "My Discord"})).await;
    assert_eq!(problems[0].pointer, "/username");
}
