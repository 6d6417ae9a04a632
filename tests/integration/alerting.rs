//! The main job: a failing workflow becomes exactly one signed POST.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::events::{failed, failed_with};
use crate::support::host::TestHost;
use crate::support::receiver::{Received, Receiver};

pub(crate) fn assert_valid(alert: &Value) {
    let schema = include_str!("../../docs/schemas/alert.v1.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    // Receivers take what they do not know; the host sends nothing that is not told.
    for (object, told) in
        [(alert, &schema), (&alert["workflow"], &schema["properties"]["workflow"])]
    {
        for name in object.as_object().unwrap().keys() {
            assert!(told["properties"].get(name).is_some(), "the schema does not tell of {name}");
        }
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<_> = validator.iter_errors(alert).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?} in {alert}");
}

/// By a published Standard Webhooks library, and by hand as the docs say.
fn assert_signed(received: &Received, secret: &str) {
    let library = standardwebhooks::Webhook::new(secret).unwrap();
    library.verify(&received.body, &received.headers).unwrap();

    let header = received.header("x-exosphere-signature");
    let (time, mac) = header.split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hmac.update(format!("{time}.").as_bytes());
    hmac.update(&received.body);
    assert_eq!(hex::encode(hmac.finalize().into_bytes()), mac);
}

#[tokio::test]
async fn a_failing_workflow_makes_exactly_one_signed_post() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let rule = host.api.rule(&endpoint, json!({})).await;
    assert!(!host.api.event(failed("evt-1")).await);

    let received = &receiver.wait_for(1).await[0];
    let delivery = host.api.delivery_with("delivered").await;
    let alert = received.json();
    assert_valid(&alert);
    assert_signed(received, endpoint["secret"].as_str().unwrap());
    assert_eq!(received.method, "POST");
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(alert["id"], delivery["id"]);
    assert_eq!(received.header("webhook-id"), delivery["id"].as_str().unwrap());
    assert_eq!(alert["rule"], json!({"id": rule["id"], "name": "On failure"}));
    assert_eq!(alert["event"]["id"], "evt-1");
    let workflow = &alert["workflow"];
    for (name, value) in [("errored_count", 3), ("pending_count", 0), ("retried_count", 2)] {
        assert_eq!(workflow[name], value, "{name}");
    }
    assert_eq!(workflow["identifier"], "load");
    assert_eq!(alert["trigger"], json!({"type": "event"}));
    assert!(!alert.to_string().contains("hunter2"), "error text of user code never leaves");

    assert_eq!(delivery["attempt_count"], 1);
    let attempt = &delivery["attempts"][0];
    assert_eq!((&attempt["status_code"], &attempt["verdict"]), (&json!(200), &json!("delivered")));
    assert!(attempt["plugin_digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(attempt["exchanges"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_event_again_and_another_namespaces_event_make_none() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed("evt-1")).await;
    assert!(host.api.event(failed("evt-1")).await, "a repetition");
    assert!(!host.tenant("other").event(failed("evt-2")).await);
    // What comes after them has arrived, so they would have.
    host.api.event(failed("evt-3")).await;
    let received = receiver.wait_for(2).await;
    let mut ids: Vec<_> = received.iter().map(|r| r.json()["event"]["id"].clone()).collect();
    ids.sort_by_key(|id| id.to_string());
    assert_eq!(ids, ["evt-1", "evt-3"]);
    assert_eq!(host.api.deliveries().await.len(), 2);
    assert!(host.tenant("other").deliveries().await.is_empty());
}

#[tokio::test]
async fn a_condition_decides_and_the_event_says_why() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let conditions = [
        ("holds", "event.data.errored_count > 2"),
        ("does not", "event.data.errored_count > 3"),
        ("cannot be told", "event.data.no_such_field > 3"),
    ];
    for (name, condition) in conditions {
        host.api.rule(&endpoint, json!({"name": name, "condition": condition})).await;
    }
    host.api.rule(&endpoint, json!({"event_type": "workflow.succeeded"})).await;
    host.api.event(failed("evt-1")).await;
    assert_eq!(receiver.wait_for(1).await[0].json()["rule"]["name"], "holds");

    let listed = host.api.get("/v1/events").await.expect(200);
    let path = format!("/v1/events/{}", listed["data"][0]["id"].as_str().unwrap());
    let event = host.api.get(&path).await.expect(200);
    assert_eq!(event["event"], failed("evt-1"), "as it was posted");
    let mut reasons: Vec<_> =
        event["rules"].as_array().unwrap().iter().map(|r| r["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["condition_error", "condition_false", "fired"]);
    let rules = host.api.get("/v1/alert-rules").await.expect(200);
    let shown = rules["data"].as_array().unwrap().iter().find(|r| r["name"] == "cannot be told");
    crate::support::eventually("the error is shown on its rule", async || {
        let path = format!("/v1/alert-rules/{}", shown.unwrap()["id"].as_str().unwrap());
        let rule = host.api.get(&path).await.expect(200);
        rule["last_condition_error"].as_str().map(str::to_owned)
    })
    .await;
}

#[tokio::test]
async fn a_pattern_of_types_is_matched_and_event_data_leaves_only_when_asked_for() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let open = json!({"include_event_data": true, "headers": {"X-Team": "payments"}});
    let endpoint = host.api.endpoint(&receiver.url("/open"), open).await;
    host.api.rule(&endpoint, json!({"event_type": "workflow.*"})).await;
    host.api.event(failed_with("evt-1", "type", json!("task.failed"))).await;
    host.api.event(failed_with("evt-2", "type", json!("workflow.odd"))).await;
    let received = &receiver.wait_for(1).await[0];
    let alert = received.json();
    assert_valid(&alert);
    assert_eq!(alert["type"], "workflow.odd");
    assert_eq!(alert["data"], failed("x")["data"]);
    assert_eq!(received.header("x-team"), "payments");
}

#[tokio::test]
async fn during_a_rotation_the_old_secret_still_verifies() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({})).await;
    let path = format!("/v1/webhooks/{}/rotate-secret", endpoint["id"].as_str().unwrap());
    let rotated = host.api.post(&path, json!({})).await.expect(200);
    host.api.event(failed("evt-1")).await;
    let received = &receiver.wait_for(1).await[0];
    for secret in [&endpoint["secret"], &rotated["secret"]] {
        let library = standardwebhooks::Webhook::new(secret.as_str().unwrap()).unwrap();
        library.verify(&received.body, &received.headers).unwrap();
    }
}

#[tokio::test]
async fn a_secret_of_the_tenants_own_verifies_with_a_stock_library_or_is_refused() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let with_prefix = "whsec_c3VwZXItc2VjcmV0LWtleS0xMjM0NTY3OA==";
    let secrets = [with_prefix, with_prefix.strip_prefix("whsec_").unwrap()];
    for (number, secret) in secrets.iter().enumerate() {
        let more = json!({"secret": secret});
        let endpoint = host.api.endpoint(&receiver.url("/hook"), more).await;
        let path = format!("/v1/webhooks/{}/test", endpoint["id"].as_str().unwrap());
        host.api.post(&path, json!({})).await.expect(200);
        assert_signed(&receiver.wait_for(number + 1).await[number], secret);
    }
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let path = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap());
    for (secret, why) in [
        ("a secret in plain words", "standard Base64"),
        ("c3VwZXItc2VjcmV0LWtleS0xMjM0NTY3OA", "padded with `=`"),
        ("__8CAwQFBgcICQoLDA0ODw==", "standard Base64"),
        ("whsec_c2hvcnQ=", "at least 16 bytes"),
        ("c2hvcnQ=", "at least 16 bytes"),
    ] {
        let body = json!({"name": "x", "target_url": receiver.url("/hook"), "secret": secret});
        let (made, changed) = (
            host.api.post("/v1/webhooks", body).await,
            host.api.patch(&path, json!({"secret": secret})).await,
        );
        for answer in [made, changed] {
            assert!(answer.text().contains(why), "{secret}: {}", answer.text());
            assert_eq!(answer.problem(400), ["/secret"]);
        }
    }
}

#[tokio::test]
async fn a_test_alert_is_answered_with_its_attempt_and_a_preview_sends_nothing() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let auth =
        json!({"settings": {"auth": {"type": "bearer"}}, "secrets": {"token": "s3cr3t-value"}});
    let endpoint = host.api.endpoint(&receiver.url("/hook"), auth).await;
    let path = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap());
    let preview = host.api.post(&format!("{path}/preview"), json!({})).await;
    assert_eq!(preview.status, 200, "{}", preview.body);
    assert!(!preview.text().contains("s3cr3t-value"), "a preview keeps the reference");
    assert!(receiver.received().is_empty());

    let tested = host.api.post(&format!("{path}/test"), json!({})).await;
    assert_eq!(tested.status, 200, "{}", tested.body);
    assert!(!tested.text().contains("s3cr3t-value"), "so does what is stored");
    let received = &receiver.wait_for(1).await[0];
    assert_eq!(received.header("authorization"), "Bearer s3cr3t-value");
    assert_valid(&received.json());
}

#[tokio::test]
async fn an_endpoint_that_is_off_is_skipped_with_the_reason() {
    let (host, receiver) = (TestHost::in_real_time().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({"is_active": false})).await;
    host.api.rule(&endpoint, json!({})).await;
    host.api.event(failed("evt-1")).await;
    let delivery = host.api.delivery_with("skipped").await;
    assert!(delivery["last_error"].as_str().unwrap().contains("switched off"));
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn over_a_rate_limit_the_event_says_that_its_alert_waits() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    host.api.rule(&endpoint, json!({"rate_limit": {"per_minute": 1, "burst": 1}})).await;
    for id in ["1", "2"] {
        host.api.event(failed(id)).await;
        receiver.wait_for(1).await;
    }
    let listed = host.api.get("/v1/events").await.expect(200);
    let told: Vec<_> = listed["data"].as_array().unwrap().iter().map(|e| &e["rules"][0]).collect();
    assert_eq!((&told[0]["reason"], &told[0]["fired"]), (&json!("rate_limited"), &json!(true)));
    assert_eq!(told[1]["reason"], "fired");
    host.later(std::time::Duration::from_secs(60));
    receiver.wait_for(2).await;
}

#[test]
fn what_a_later_release_adds_to_an_alert_does_not_break_its_schema() {
    let schema = include_str!("../../docs/schemas/alert.v1.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert!(schema["description"].as_str().unwrap().contains("Additions do not break version 1"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let alert = json!({
        "version": "1", "id": format!("dlv_{}", "0".repeat(26)), "type": "workflow.failed", "later": {},
        "occurred_at": "2026-01-31T02:12:34Z", "namespace": "payments",
        "rule": {"id": null, "name": "a", "later": 1}, "trigger": {"type": "event", "later": 1},
        "workflow": {"run_id": "r", "later": [1]}, "event": {"id": "1", "source": "/s", "later": 1},
    });
    assert!(validator.is_valid(&alert));
}
