//! What webhooks in do not take, and where their owner sees it.

use serde_json::{Value, json};

use super::{SECRET, counted, events, mapped, path, post, post_signed, sender, source};
use crate::support::host::TestHost;

#[tokio::test]
async fn a_wrong_signature_is_refused_counted_and_shown_until_a_right_one_comes() {
    let host = TestHost::start().await;
    let source = source(&host.api, json!({})).await;
    let at = path(&source, "/events");
    let unsigned = sender(&host).with("x-github-event", Some("ping"));
    let wrong = unsigned.with("x-hub-signature-256", Some("sha256=00ff"));
    for sender in [&unsigned, &wrong] {
        let refused = sender.post(&at, json!({})).await;
        assert!(refused.text().contains("X-Hub-Signature-256"), "{}", refused.text());
        refused.problem(401);
    }
    // A key of the host's proves nothing about the sender.
    host.api.post(&at, json!({})).await.problem(401);
    assert_eq!(counted(&host, "github", "unauthorized").await, 3);
    let shown = host.api.get(&path(&source, "")).await.expect(200);
    assert_eq!(
        (&shown["state"], &shown["trouble"]["kind"]),
        (&json!("failing"), &json!("unauthorized"))
    );
    assert_eq!(shown["last_success_at"], Value::Null);

    post_signed(&host, &source, "ping", &json!({})).await.expect(202);
    let shown = host.api.get(&path(&source, "")).await.expect(200);
    assert_eq!((&shown["state"], &shown["trouble"]), (&json!("receiving"), &Value::Null));
    assert_eq!(events(&host.api).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_mapping_that_does_not_compile_is_refused_with_field_line_and_column() {
    let host = TestHost::start().await;
    let create = async |mapping: Value| {
        let body = json!({"name": "x", "kind": "mapped", "mapping": mapping});
        host.api.post("/v1/sources", body).await
    };
    let wrong = json!({"type": "'a.b'", "time": "request.body.at +\n  event.time", "id": "nope"});
    let refused = create(wrong).await;
    let text = refused.text();
    assert!(text.contains("line 2, column 3") && text.contains("unknown name `event`"), "{text}");
    assert_eq!(refused.problem(400), ["/mapping/id", "/mapping/time"]);
    for (mapping, pointer) in [
        (json!({}), "/mapping/type"),
        (json!({"type": ""}), "/mapping/type"),
        (json!({"type": "'a.b'", "tpye": "1"}), "/mapping/tpye"),
        (json!({"type": "x".repeat(9000)}), "/mapping/type"),
        (json!("'a.b'"), "/mapping"),
        (Value::Null, "/mapping"),
    ] {
        assert_eq!(create(mapping.clone()).await.problem(400), [pointer], "{mapping}");
    }
    let listed = host.api.get("/v1/sources").await.expect(200);
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test]
async fn a_mapping_that_makes_no_valid_event_shows_the_expression_and_the_value() {
    let host = TestHost::start().await;
    let mapping = json!({"type": "request.body.kind", "time": "request.body.at"});
    let source = mapped(&host.api, mapping).await;
    let body = json!({"kind": "job.ended", "at": "yesterday"});
    let refused = post(&host, &source, &body).await;
    let text = refused.text();
    for part in ["`request.body.at` gives", "yesterday", "`time`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(refused.problem(400), ["/mapping/time"]);
    let shown = host.api.get(&path(&source, "")).await.expect(200);
    let trouble = &shown["trouble"];
    assert_eq!(trouble["kind"], "invalid");
    assert!(trouble["detail"].as_str().unwrap().contains("yesterday"), "{trouble}");

    for (body, pointer, part) in [
        (json!({"kind": 7, "at": "2026-11-28T08:00:00Z"}), "/mapping/type", "gives 7"),
        (json!({"kind": "", "at": "2026-11-28T08:00:00Z"}), "/mapping/type", "gives \\\"\\\""),
        (json!({"at": "2026-11-28T08:00:00Z"}), "/mapping/type", "no field `kind`"),
    ] {
        let tried = host.api.post(&path(&source, "/try"), json!({"body": body})).await;
        assert!(tried.text().contains(part), "{part}: {}", tried.text());
        assert_eq!(tried.problem(400), [pointer]);
        assert_eq!(post(&host, &source, &body).await.problem(400), [pointer]);
    }
    assert_eq!(counted(&host, "mapped", "invalid").await, 4);
    assert_eq!(events(&host.api).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_body_that_is_no_json_or_a_form_or_too_large_is_refused() {
    let host = TestHost::start().await;
    let source = mapped(&host.api, json!({"type": "'a.b'"})).await;
    let at = path(&source, "/events");
    let sender = sender(&host).with("x-exosphere-token", Some(SECRET));
    for body in ["", "{", "payload=1", "{\"a\": 1, \"a\": 2}"] {
        let sent = sender.send(reqwest::Method::POST, &at, Some(body.into())).await;
        sent.problem(400);
    }
    let form = sender.with("content-type", Some("application/x-www-form-urlencoded"));
    let sent = form.send(reqwest::Method::POST, &at, Some("payload=1".into())).await;
    assert!(sent.text().contains("application/json"), "{}", sent.text());
    sent.problem(415);
    let large = json!({"a": "x".repeat(1024 * 1024)});
    sender.post(&at, large).await.problem(413);
    // It fits, and the event that is made of it does not.
    let large = json!({"a": "x".repeat(300 * 1024)});
    let refused = sender.post(&at, large).await;
    assert_eq!(refused.problem(400), ["/mapping/data"]);
}

#[tokio::test]
async fn an_expression_without_end_is_stopped_and_the_host_goes_on() {
    let host = TestHost::start().await;
    let endless = "request.body.n.map(a, request.body.n.map(b, request.body.n.map(c, \
                   request.body.n.map(d, a + b + c + d))))";
    let source = mapped(&host.api, json!({"type": "'a.b'", "data": endless})).await;
    let body = json!({"n": (0..200).collect::<Vec<_>>()});
    let refused = post(&host, &source, &body).await;
    assert!(refused.text().contains("units of fuel") || refused.text().contains(" ms"));
    assert_eq!(refused.problem(400), ["/mapping"]);
    let shown = host.api.get(&path(&source, "")).await.expect(200);
    assert_eq!(shown["trouble"]["kind"], "invalid");
    // Neither this source nor anybody's conditions suffer.
    let small = json!({"n": [1]});
    post(&host, &source, &small).await.expect(202);
}

#[tokio::test]
async fn a_sender_that_posts_without_end_is_told_to_wait() {
    let host = TestHost::start().await;
    let source = source(&host.api, json!({})).await;
    let mut answers = Vec::new();
    for _ in 0..210 {
        let answer = post_signed(&host, &source, "ping", &json!({})).await;
        let is_limited = answer.status == 429;
        answers.push(answer);
        if is_limited {
            break;
        }
    }
    let last = answers.pop().unwrap();
    assert!(last.headers.contains_key("retry-after"));
    last.problem(429);
    assert_eq!(answers.len(), 200);
    host.later(std::time::Duration::from_secs(1));
    post_signed(&host, &source, "ping", &json!({})).await.expect(202);
}
