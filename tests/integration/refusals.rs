//! What cannot be done, and that the answer says why.

use serde_json::{Map, Value, json};
use sqlx::{Connection as _, SqliteConnection};

use crate::guest::{Target, step};
use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::host::TestHost;
use crate::support::plugins::renamed;
use crate::support::receiver::Receiver;

const HOOK: &str = "https://example.com/hook";

fn path(kind: &str, of: &Value) -> String {
    format!("/v1/{kind}/{}", of["id"].as_str().unwrap())
}

/// A refusal's words.
async fn refused(api: &Api, path: &str) -> String {
    let answer = api.post(path, json!({})).await;
    let text = answer.text();
    answer.problem(409);
    text
}

#[tokio::test]
async fn an_endpoint_that_could_never_be_delivered_to_is_refused_by_field() {
    let host = TestHost::start().await;
    let bearer = json!({"auth": {"type": "bearer"}});
    let secret = |value: &str| json!({"settings": bearer, "secrets": {"token": value}});
    let api_key = |header: &str| {
        let auth = json!({"type": "api_key", "header": header});
        json!({"settings": {"auth": auth}, "secrets": {"token": "a-good-token"}})
    };
    let mut twice = secret("a-good-token");
    twice["headers"] = json!({"Authorization": "Basic eA=="});
    for (more, pointer, why) in [
        (twice, "/headers/Authorization", "sent twice"),
        (json!({"headers": {"X-Team": "a", "x-team": "b"}}), "/headers/x-team", "is the same as"),
        (api_key("Host"), "/settings/auth/header", "set by the host"),
        (api_key("content-length"), "/settings/auth/header", "set by the host"),
        (api_key("Webhook-Id"), "/settings/auth/header", "set by the host"),
        (api_key("bad name"), "/settings/auth/header", "not a header name"),
        (api_key("é"), "/settings/auth/header", "not a header name"),
        (api_key("webhook-signature"), "/settings/auth/header", "set by the host"),
        (api_key("X-Exosphere-Signature"), "/settings/auth/header", "set by the host"),
        (api_key("Content-Type"), "/settings/auth/header", "sent twice"),
        (json!({"settings": bearer}), "/secrets/token", "no secret named `token`"),
        (secret("a-token\n"), "/secrets/token", "control characters"),
        (secret("a-token\r\nx: y"), "/secrets/token", "control characters"),
        (secret("a-token\0"), "/secrets/token", "U+0000"),
        (secret("o"), "/secrets/token", "at least 8 characters"),
        (json!({"target_url": "http://h.example/\0"}), "/target_url", "U+0000"),
        (
            json!({"target": "slack", "target_url": "https://hooks.slack.com/x"}),
            "/target_url",
            "at least 8 characters",
        ),
    ] {
        let mut body = json!({"name": "x", "target_url": HOOK});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = host.api.post("/v1/webhooks", body.clone()).await;
        assert!(answer.text().contains(why), "{body}: {}", answer.text());
        assert_eq!(answer.problem(400), [pointer], "{body}");
    }
    // Switched off it may be kept as it is, and is refused when it is switched on.
    let draft = json!({"settings": bearer, "is_active": false});
    let endpoint = host.api.endpoint(HOOK, draft).await;
    let path = path("webhooks", &endpoint);
    let refused = host.api.patch(&path, json!({"is_active": true})).await;
    assert_eq!(refused.problem(400), ["/secrets/token"]);
    let mended = json!({"is_active": true, "secrets": {"token": "a-good-token"}});
    host.api.patch(&path, mended).await.expect(200);
}

#[tokio::test]
async fn what_is_too_much_for_an_endpoint_or_a_rule_is_refused_by_field() {
    let host = TestHost::start().await;
    let headers: Map<String, Value> =
        (0..33).map(|number| (format!("x-{number}"), json!("1"))).collect();
    let secrets: Map<String, Value> =
        (0..17).map(|number| (format!("s{number}"), json!("value"))).collect();
    for (more, pointer, why) in [
        (json!({"name": "x".repeat(201)}), "/name", "1 to 200 characters"),
        (json!({"name": "a\u{7}"}), "/name", "control characters"),
        (json!({"headers": headers}), "/headers", "at most 32 headers"),
        (json!({"secrets": secrets}), "/secrets", "at most 16 secrets"),
        (json!({"settings": {"x": "y".repeat(40_000)}}), "/settings", "bytes of JSON"),
        (json!({"gone_after": 101}), "/gone_after", "from 1 to 100"),
        (
            json!({"settings": {"auth": {"type": "bearer"}}, "secrets": {"token": ""}}),
            "/secrets/token",
            "at least 8 characters",
        ),
    ] {
        let mut body = json!({"name": "x", "target_url": HOOK});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = host.api.post("/v1/webhooks", body).await;
        let text = answer.text();
        let pointers = answer.problem(400);
        assert!(pointers.iter().any(|at| at == pointer), "{pointer}: {pointers:?}");
        assert!(text.contains(why), "{pointer}: {text}");
    }
    let endpoint = host.api.endpoint(HOOK, json!({})).await;
    let rule = json!({"name": "x", "event_type": "*", "webhook_endpoint_id": endpoint["id"],
        "condition": format!("true || {}", "true || ".repeat(1100) + "true")});
    let answer = host.api.post("/v1/alert-rules", rule).await;
    assert!(answer.text().contains("at most 8192 bytes"), "{}", answer.body);
    assert_eq!(answer.problem(400), ["/condition"]);
}

#[tokio::test]
async fn what_was_deleted_is_not_there_for_any_further_change() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint(HOOK, json!({})).await;
    let rule = host.api.rule(&endpoint, json!({})).await;
    let (rule, endpoint) = (path("alert-rules", &rule), path("webhooks", &endpoint));
    for path in [rule, endpoint.clone()] {
        host.api.delete(&path).await.expect(204);
        host.api.delete(&path).await.problem(404);
        host.api.patch(&path, json!({"name": "again"})).await.problem(404);
    }
    for action in ["rotate-secret", "test", "preview"] {
        host.api.post(&format!("{endpoint}/{action}"), json!({})).await.problem(404);
    }
}

#[tokio::test]
async fn a_test_of_what_cannot_send_is_refused_with_the_reason_and_sends_nothing() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    host.api.install(renamed("mine", "1.0.0")).await;
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({"target": "mine"})).await;
    let endpoint = path("webhooks", &endpoint);
    let (test, preview) = (format!("{endpoint}/test"), format!("{endpoint}/preview"));

    let only_other = json!({"grants": [{"tenant": "other"}]});
    host.api.put("/v1/plugins/mine/grants", &only_other).await.expect(200);
    for path in [&test, &preview] {
        let told = refused(&host.api, path).await;
        assert!(told.contains("`mine` was closed to this namespace"), "{told}");
    }
    host.api.put("/v1/plugins/mine/grants", &json!({"grants": []})).await.expect(200);
    host.api.delete("/v1/plugins/mine?force=true").await.expect(204);
    for path in [&test, &preview] {
        let told = refused(&host.api, path).await;
        assert!(told.contains("`mine` is not loaded"), "{told}");
    }
    host.api.install(renamed("mine", "1.0.0")).await;
    host.api.patch(&endpoint, json!({"is_active": false})).await.expect(200);
    let told = refused(&host.api, &test).await;
    assert!(told.contains("is switched off; set `is_active` to true first"), "{told}");
    assert!(receiver.received().is_empty());

    host.api.patch(&endpoint, json!({"is_active": true})).await.expect(200);
    host.api.post(&test, json!({})).await.expect(200);
    assert_eq!(receiver.wait_for(1).await.len(), 1);
}

#[tokio::test]
async fn a_preview_of_an_adapter_that_sends_nothing_tells_its_verdict() {
    let host = TestHost::start().await;
    let decided = Target::new().id("decided").answering(|image| {
        let reason = image.bytes(b"not on Sundays");
        image.words(&step::rejected(reason))
    });
    host.api.install(decided.pack()).await;
    let endpoint = host.api.endpoint(HOOK, json!({"target": "decided"})).await;
    let preview = format!("{}/preview", path("webhooks", &endpoint));
    let told = host.api.post(&preview, json!({})).await.expect(200);
    assert_eq!((&told["verdict"], &told["reason"]), (&json!("rejected"), &json!("not on Sundays")));
    assert_eq!(told["requests"], json!([]));
}

#[tokio::test]
async fn a_preview_of_a_request_that_may_not_leave_is_refused_as_its_attempt_would_be() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    // Sends to example.com, wherever its endpoint is.
    let stray = Target::new().id("stray").answering(|image| {
        let body = image.bytes(b"{}");
        let area = step::send(step::SEND_LAST, image, body);
        image.words(&area)
    });
    host.api.install(stray.pack()).await;
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({"target": "stray"})).await;
    let told = refused(&host.api, &format!("{}/preview", path("webhooks", &endpoint))).await;
    assert!(told.contains("wanted to send to https://example.com"), "{told}");
    host.api.rule(&endpoint, json!({"retry_policy": {"max_retries": 0}})).await;
    host.api.event(failed("evt-1")).await;
    let dead = host.api.delivery_with("dead").await;
    assert!(dead["last_error"].as_str().unwrap().contains("wanted to send to https://example.com"));
}

/// Keeps everybody else from writing into this SQLite file until it is closed.
async fn writes_held(url: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn of_changes_made_at_once_each_is_kept_or_told_that_it_is_not() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint(HOOK, json!({})).await;
    let rule = host.api.rule(&endpoint, json!({})).await;
    for path in [path("webhooks", &endpoint), path("alert-rules", &rule)] {
        let audited = async || {
            let listed = host.api.get("/v1/audit?limit=200").await.expect(200);
            let entries = listed["data"].as_array().unwrap().clone();
            let id = path.rsplit('/').next().unwrap();
            let of_this = entries.iter().filter(|entry| entry["resource"] == id);
            of_this.filter(|entry| entry["action"].as_str().unwrap().ends_with(".updated")).count()
        };
        let (mut kept, mut told, mut round) = (0, 0, 0);
        // All are under way before any of them is written, unless this machine gives
        // one of them no turn for so long: so until it happened.
        eventually("two changes at once", async || {
            round += 1;
            let held = writes_held(&host.url).await;
            let mut changes = tokio::task::JoinSet::new();
            for number in 0..4 {
                let (api, path) = (host.api.clone(), path.clone());
                let name = format!("{round}-{number}");
                changes.spawn(async move { api.patch(&path, json!({"name": name})).await });
            }
            // They have been sent before this one is, and are read as it is.
            host.api.get(&path).await.expect(200);
            held.close().await.unwrap();
            for answer in changes.join_all().await {
                match answer.status {
                    200 => kept += 1,
                    409 => {
                        assert!(answer.text().contains("by somebody else at the same time"));
                        told += 1;
                    }
                    _ => panic!("{}", answer.body),
                }
            }
            (told > 0).then_some(())
        })
        .await;
        assert_eq!(audited().await, kept);
    }
}
