//! Endpoints, rules, keys: what may be written, and what is refused.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::host::TestHost;

const HOOK: &str = "https://example.com/hook";

#[tokio::test]
async fn an_endpoints_secret_is_shown_once_and_never_again() {
    let host = TestHost::start().await;
    let made = host.api.endpoint(HOOK, json!({})).await;
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    for answer in [
        host.api.get(&path).await,
        host.api.get("/v1/webhooks").await,
        host.api.patch(&path, json!({"name": "New"})).await,
        host.api.get("/v1/audit").await,
    ] {
        assert_eq!(answer.status, 200);
        assert!(!answer.text().contains(secret));
    }
    let files = std::fs::read_dir(host.folder()).unwrap();
    for file in files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{} holds the secret in the clear", file.display());
    }
}

#[tokio::test]
async fn an_endpoint_is_changed_field_by_field_and_deleted_softly() {
    let host = TestHost::start().await;
    let made = host.api.endpoint(HOOK, json!({"headers": {"X-A": "1"}})).await;
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let limit = json!({"rate_limit": {"per_minute": 60}});
    let changed = host.api.patch(&path, limit).await.expect(200);
    assert_eq!((&changed["name"], &changed["headers"]["X-A"]), (&json!("On call"), &json!("1")));
    assert_eq!(changed["rate_limit"]["per_minute"], 60);
    let changed = host.api.patch(&path, json!({"rate_limit": null})).await.expect(200);
    assert_eq!(changed["rate_limit"], Value::Null);
    host.api.delete(&path).await.expect(204);
    host.api.get(&path).await.problem(404);
    host.api.patch(&path, json!({"name": "x"})).await.problem(404);
    host.api.delete(&path).await.problem(404);
    assert!(host.api.get("/v1/webhooks").await.expect(200)["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_endpoint_is_refused_field_by_field_and_changes_nothing() {
    let host = TestHost::start().await;
    let wrong = [
        (json!({"target_url": HOOK}), "/name"),
        (json!({"name": "", "target_url": HOOK}), "/name"),
        (json!({"name": "x"}), "/target_url"),
        (json!({"name": "x", "target_url": 7}), "/target_url"),
        (json!({"name": "x", "target_url": "ftp://example.com"}), "/target_url"),
        (json!({"name": "x", "target_url": "https://a:b@example.com"}), "/target_url"),
        (json!({"name": "x", "target_url": "http://169.254.169.254/"}), "/target_url"),
        (json!({"name": "x", "target_url": "http://10.0.0.1/"}), "/target_url"),
        (json!({"name": "x", "target_url": "http://[::1]/"}), "/target_url"),
        (json!({"name": "x", "target_url": HOOK, "colour": "red"}), "/colour"),
        (json!({"name": "x", "target_url": HOOK, "secret": "short"}), "/secret"),
        (json!({"name": "x", "target_url": HOOK, "headers": {"Host": "x"}}), "/headers/Host"),
        (json!({"name": "x", "target_url": HOOK, "target": "carrier-pigeon"}), "/target"),
        (json!({"name": "x", "target_url": HOOK, "settings": {"x": 1}}), "/settings"),
        (json!({"name": "x", "target_url": HOOK, "secrets": {"x": "y"}}), "/secrets/x"),
        (
            json!({"name": "x", "target_url": HOOK, "rate_limit": {"per_minute": 0}}),
            "/rate_limit/per_minute",
        ),
        (json!({"name": "x", "target_url": HOOK, "is_active": "yes"}), "/is_active"),
        (json!({"name": "x", "target_url": HOOK, "rate_limit": 5}), "/rate_limit"),
        (json!({"name": "x", "target_url": HOOK, "gone_after": -1}), "/gone_after"),
    ];
    for (body, pointer) in wrong {
        let answer = host.api.post("/v1/webhooks", body.clone()).await;
        let text = answer.text();
        let problem = answer.problem(400);
        assert!(problem.iter().any(|at| at.starts_with(pointer)), "{body}: {problem:?} {text}");
        let is_jargon = text.contains("expected u") || text.contains("expected struct");
        assert!(!is_jargon, "{text}");
    }
    for text in ["", "{", "[]", "null"] {
        host.api.send(Method::POST, "/v1/webhooks", Some(text.into())).await.problem(400);
    }
    assert!(host.api.get("/v1/webhooks").await.expect(200)["data"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_address_outside_the_networks_that_are_open_is_refused_when_an_endpoint_is_saved() {
    // Opened for 127.0.0.0/8 alone.
    let host = TestHost::start().await;
    let answer =
        host.api.post("/v1/webhooks", json!({"name": "x", "target_url": "http://0.0.0.0/"}));
    assert_eq!(answer.await.problem(400), ["/target_url"]);
}

#[tokio::test]
async fn a_wrong_rule_is_refused_field_by_field_with_the_position_in_its_condition() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint(HOOK, json!({})).await;
    let foreign = host.tenant("other").endpoint(HOOK, json!({})).await;
    let good = json!({
        "name": "x", "event_type": "workflow.failed", "webhook_endpoint_id": endpoint["id"],
    });
    let with = |name: &str, value: Value| {
        let mut rule = good.clone();
        rule[name] = value;
        rule
    };
    let wrong = [
        (with("name", json!(null)), "/name"),
        (with("event_type", json!("")), "/event_type"),
        (with("event_type", json!("workflow failed")), "/event_type"),
        (with("webhook_endpoint_id", json!("wh_1")), "/webhook_endpoint_id"),
        (with("webhook_endpoint_id", foreign["id"].clone()), "/webhook_endpoint_id"),
        (with("condition", json!("event.data.x >")), "/condition"),
        (with("condition", json!({"language": "cobol", "source": "x"})), "/condition"),
        (with("condition", json!("evnt.data.x > 3")), "/condition"),
        (with("retry_policy", json!({"max_retries": 1000})), "/retry_policy/max_retries"),
        (with("retry_policy", json!({"strategy": "HOPE"})), "/retry_policy/strategy"),
        (with("rate_limit", json!({"per_minute": -1})), "/rate_limit/per_minute"),
        (with("trigger", json!({"type": "moon"})), "/trigger"),
        (with("colour", json!("red")), "/colour"),
    ];
    for (body, pointer) in wrong {
        let answer = host.api.post("/v1/alert-rules", body.clone()).await;
        let text = answer.text();
        let problem = answer.problem(400);
        assert!(problem.iter().any(|at| at.starts_with(pointer)), "{body}: {problem:?} {text}");
    }
    let broken =
        host.api.post("/v1/alert-rules", with("condition", json!("true &&\n event."))).await;
    assert!(broken.text().contains("line 2"), "{}", broken.body);
    let rules = host.api.get("/v1/alert-rules").await.expect(200);
    assert!(rules["data"].as_array().unwrap().is_empty());
    host.api.post("/v1/alert-rules", good).await.expect(201);
}

#[tokio::test]
async fn another_tenants_resource_is_not_there() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint(HOOK, json!({})).await;
    let rule = host.api.rule(&endpoint, json!({})).await;
    let other = host.tenant("other");
    for path in [
        format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap()),
        format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap()),
    ] {
        other.get(&path).await.problem(404);
        other.patch(&path, json!({"name": "mine"})).await.problem(404);
        other.delete(&path).await.problem(404);
        assert_eq!(host.api.get(&path).await.status, 200);
    }
}

#[tokio::test]
async fn without_a_known_key_nothing_is_told() {
    let host = TestHost::start().await;
    for key in [None, Some("exo_wrong"), Some("")] {
        let api = host.api.with("x-api-key", key);
        for path in ["/v1/webhooks", "/v1/events", "/v1/audit"] {
            api.get(path).await.problem(401);
        }
        api.post("/v1/events", json!({})).await.problem(401);
    }
    let bearer = format!("Bearer {}", crate::support::api::KEY);
    let api = host.api.with("x-api-key", None).with("authorization", Some(&bearer));
    api.get("/v1/webhooks").await.expect(200);
    host.api.with("x-exosphere-namespace", None).get("/v1/webhooks").await.problem(400);
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        assert_eq!(host.api.with("x-api-key", None).get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_tenants_key_reaches_as_far_as_its_role() {
    let host = TestHost::start().await;
    let key = async |role: &str| {
        let body = json!({"name": role, "role": role});
        let made = host.api.post("/v1/api-keys", body).await.expect(201);
        host.api.with("x-api-key", made["key"].as_str()).with("x-exosphere-namespace", None)
    };
    let (viewer, editor) = (key("viewer").await, key("editor").await);
    viewer.get("/v1/webhooks").await.expect(200);
    viewer.post("/v1/webhooks", json!({"name": "x", "target_url": HOOK})).await.problem(403);
    editor.endpoint(HOOK, json!({})).await;
    editor.get("/v1/api-keys").await.problem(403);
    let elsewhere = editor.with("x-exosphere-namespace", Some("other"));
    elsewhere.get("/v1/webhooks").await.problem(403);
    let keys = host.api.get("/v1/api-keys").await.expect(200);
    assert_eq!(keys["data"].as_array().unwrap().len(), 2);
    let id = keys["data"].as_array().unwrap().iter().find(|key| key["role"] == "viewer").unwrap();
    host.api.delete(&format!("/v1/api-keys/{}", id["id"].as_str().unwrap())).await.expect(204);
    viewer.get("/v1/webhooks").await.problem(401);
}

#[tokio::test]
async fn an_expired_key_is_told_so_and_a_revoked_one_is_forgotten() {
    let host = TestHost::start().await;
    let made = async |name: &str, expires_at: Option<jiff::Timestamp>| {
        let body = json!({"name": name, "role": "viewer", "expires_at": expires_at});
        let made = host.api.post("/v1/api-keys", body).await.expect(201);
        (made["id"].clone(), host.api.with("x-api-key", made["key"].as_str()))
    };
    let soon = host.now() + std::time::Duration::from_secs(60);
    let (_, expiring) = made("expiring", Some(soon)).await;
    let (id, revoked) = made("revoked", None).await;
    expiring.get("/v1/webhooks").await.expect(200);
    host.later(std::time::Duration::from_secs(61));
    host.api.delete(&format!("/v1/api-keys/{}", id.as_str().unwrap())).await.expect(204);

    let expired = expiring.get("/v1/webhooks").await;
    assert!(expired.headers.contains_key("www-authenticate"));
    assert_eq!(expired.body["type"], "https://exosphere.dev/problems/key-expired");
    expired.problem(401);
    let told = async |api: &crate::support::api::Api| api.get("/v1/webhooks").await.expect(401);
    let never = host.api.with("x-api-key", Some("exo_never_a_key"));
    assert_eq!(told(&revoked).await, told(&never).await, "nothing to learn from a revoked key");
}

#[tokio::test]
async fn platform_keys_are_made_and_revoked_in_the_hosts_own_audit_log() {
    let host = TestHost::start().await;
    let operator = host.api.with("x-exosphere-namespace", None);
    let body = json!({"name": "second", "role": "platform"});
    let made = operator.post("/v1/api-keys", body).await.expect(201);
    let id = made["id"].as_str().unwrap();
    operator.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
    host.api.post("/v1/api-keys", json!({"name": "a", "role": "admin"})).await.expect(201);

    let of = async |api: &crate::support::api::Api| {
        let log = api.get("/v1/audit").await.expect(200);
        let entries = log["data"].as_array().unwrap().clone();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let of_entry = |entry: &serde_json::Value| (text(&entry["action"]), text(&entry["actor"]));
        entries.iter().map(of_entry).collect::<Vec<_>>()
    };
    let log = of(&operator).await;
    let bootstrap = made["created_by"].as_str().unwrap();
    let entry = |action: &str, actor: &str| (action.to_owned(), actor.to_owned());
    assert_eq!(
        log,
        [
            entry("api_key.revoked", bootstrap),
            entry("api_key.created", bootstrap),
            entry("api_key.created", "system")
        ]
    );
    assert_eq!(of(&host.api).await, [entry("api_key.created", bootstrap)], "the tenant's own");
    assert_eq!(operator.get("/v1/audit/verify").await.expect(200)["entries"], 3);
}

#[tokio::test]
async fn a_repeated_request_with_an_idempotency_key_makes_one_thing() {
    let host = TestHost::start().await;
    let api = host.api.with("idempotency-key", Some("k-1"));
    let body = json!({"name": "x", "target_url": HOOK});
    let first = api.post("/v1/webhooks", body.clone()).await.expect(201);
    let again = api.post("/v1/webhooks", body).await.expect(201);
    assert_eq!(first, again, "the secret too");
    api.post("/v1/webhooks", json!({"name": "y", "target_url": HOOK})).await.problem(422);
    let listed = host.api.get("/v1/webhooks").await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_and_every_answer_has_a_request_id() {
    let host = TestHost::start().await;
    host.api.get("/v1/no-such-thing").await.problem(404);
    host.api.send(Method::PUT, "/v1/webhooks", None).await.problem(405);
    host.api
        .with("content-type", Some("text/plain"))
        .post("/v1/webhooks", json!({}))
        .await
        .problem(415);
    let id = "7b0c4a52-2f0e-4a55-9d53-0d6f4a4d6f4a";
    let answer = host.api.with("x-exosphere-request-id", Some(id)).get("/v1/webhooks").await;
    assert_eq!(answer.headers["x-exosphere-request-id"], id);
    let answer = host.api.get("/v1/no-such-thing").await;
    assert_eq!(answer.headers["x-exosphere-request-id"].len(), 36);
}

#[tokio::test]
async fn the_openapi_document_has_every_route_and_the_docs_page_is_served() {
    let host = TestHost::start().await;
    let document = host.api.get("/openapi.json").await.expect(200);
    for path in [
        "/v1/webhooks",
        "/v1/webhooks/{id}",
        "/v1/webhooks/{id}/test",
        "/v1/webhooks/{id}/rotate-secret",
        "/v1/alert-rules",
        "/v1/alert-rules/{id}",
        "/v1/events",
        "/v1/events/{id}",
        "/v1/deliveries",
        "/v1/deliveries/{id}",
        "/v1/deliveries/{id}/retry",
        "/v1/deliveries/{id}/cancel",
        "/v1/dead-letters",
        "/v1/dead-letters/redrive",
        "/v1/audit",
        "/v1/plugins",
        "/v1/api-keys",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    let docs = host.api.get("/docs/").await;
    assert_eq!(docs.status, 200);
    assert!(docs.text().contains("swagger-ui"));
    let verified = host.api.get("/v1/audit/verify").await.expect(200);
    assert!(verified.is_object());
}

#[tokio::test]
async fn a_rule_whose_endpoint_was_deleted_can_be_switched_off_and_pointed_elsewhere() {
    let host = TestHost::start().await;
    let endpoint = host.api.endpoint(HOOK, json!({})).await;
    let rule = host.api.rule(&endpoint, json!({})).await;
    let path = format!("/v1/alert-rules/{}", rule["id"].as_str().unwrap());
    let endpoint = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap());
    host.api.delete(&endpoint).await.expect(204);

    let changed = host.api.patch(&path, json!({"is_active": false, "name": "Old"})).await;
    assert_eq!(changed.expect(200)["is_active"], false);
    let on = host.api.patch(&path, json!({"is_active": true})).await;
    assert!(on.text().contains("was deleted; name another one"), "{}", on.text());
    assert_eq!(on.problem(400), ["/webhook_endpoint_id"]);

    let other = host.api.endpoint(HOOK, json!({})).await;
    let on = json!({"is_active": true, "webhook_endpoint_id": other["id"]});
    assert_eq!(host.api.patch(&path, on).await.expect(200)["is_active"], true);
}
