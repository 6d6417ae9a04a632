//! A webhook endpoint is tried out before it is saved: the real request, the real answer, and
//! nothing of it is kept.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

const TOKEN: &str = "a-bearer-token-of-the-draft";
const SIGNING: &str = "whsec_c2lnbmluZy1zZWNyZXQtb2YtdGhlLWRyYWZ0LTEyMw==";

fn draft(url: &str) -> Value {
    json!({"webhook": {"name": "On call", "target_url": url, "secret": SIGNING,
        "settings": {"auth": {"type": "bearer"}}, "secrets": {"token": TOKEN}}})
}

async fn key(api: &Api, role: &str) -> Api {
    let made = api.post("/v1/api-keys", json!({"name": role, "role": role})).await.expect(201);
    api.with("x-api-key", made["key"].as_str())
}

#[tokio::test]
async fn a_draft_is_sent_as_it_would_be_and_nothing_of_it_is_stored() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    receiver.script("/hook", |n| match n {
        0 => (StatusCode::IM_A_TEAPOT, "short and stout").into_response(),
        _ => StatusCode::OK.into_response(),
    });
    let (api, body) = (&host.api, draft(&receiver.url("/hook")));

    let preview = api.post("/v1/webhooks/preview", body.clone()).await.expect(200);
    assert_eq!(preview["requests"][0]["url"], receiver.url("/hook"));
    assert!(preview["requests"][0].to_string().contains("webhook-signature"), "{preview}");
    assert!(!preview.to_string().contains(TOKEN), "a reference stands for it");
    assert!(receiver.received().is_empty());

    let refused = api.post("/v1/webhooks/test", body.clone()).await.expect(200);
    assert_eq!(refused["is_delivered"], false);
    assert_eq!(refused["attempt"]["status_code"], 418);
    let answer = &refused["attempt"]["exchanges"][0]["outcome"]["response"];
    assert_eq!(answer["body"], "short and stout", "{refused}");
    let taken = api.post("/v1/webhooks/test", body).await.expect(200);
    assert_eq!((&taken["is_delivered"], &taken["attempt"]["number"]), (&json!(true), &json!(1)));
    let sent = &receiver.received()[1];
    assert_eq!(sent.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(sent.json()["type"], "exosphere.alerts.test");

    for path in ["/v1/webhooks", "/v1/deliveries", "/v1/events"] {
        assert_eq!(api.get(path).await.expect(200)["data"], json!([]), "{path}");
    }
    let log = api.get("/v1/audit").await.expect(200);
    let tested = &log["data"][0];
    assert_eq!(tested["action"], "webhook.draft_tested");
    let origin = receiver.url("/…");
    assert_eq!(
        tested["detail"],
        json!({"name": "On call", "target": "http", "target_url": origin})
    );
    for file in std::fs::read_dir(host.folder()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in [TOKEN, SIGNING] {
            let is_there = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!is_there, "a secret of a draft is on the disk");
        }
    }
}

#[tokio::test]
async fn what_keeps_a_draft_from_being_saved_keeps_it_from_being_sent() {
    let host = TestHost::start().await;
    for path in ["/v1/webhooks/preview", "/v1/webhooks/test"] {
        let post = async |body: Value| host.api.post(path, body).await;
        // An address that nobody may send to.
        let inside = post(draft("http://10.0.0.1/")).await;
        assert_eq!(inside.problem(400), ["/webhook/target_url"], "{path}");
        let mut wrong = draft("http://127.0.0.1:9/");
        wrong["webhook"]["name"] = "".into();
        wrong["webhook"]["settings"]["auth"]["type"] = "magic".into();
        let pointers = post(wrong).await.problem(400);
        assert!(pointers.contains(&"/webhook/name".to_owned()), "{pointers:?}");
        assert!(pointers.iter().any(|p| p.starts_with("/webhook/settings")), "{pointers:?}");
        let unknown = json!({"webhook": {"name": "x", "target": "nobody"}});
        assert_eq!(post(unknown).await.problem(400), ["/webhook/target_url"]);
        for neither in [json!({}), json!({"changes": {}})] {
            assert_eq!(post(neither).await.problem(400), [""], "{path}");
        }
        let id = json!({"webhook_endpoint_id": "wh_00000000000000000000000000", "changes": {}});
        assert!(post(id).await.problem(404).is_empty());
    }
    let with_event =
        json!({"webhook": {"name": "x", "target_url": "http://127.0.0.1:9/"}, "event": {}});
    assert_eq!(host.api.post("/v1/webhooks/test", with_event).await.problem(400), ["/event"]);
}

#[tokio::test]
async fn a_stored_endpoint_is_tried_with_a_change_that_is_not_made() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let api = &host.api;
    let mut body = draft(&receiver.url("/old"));
    let made = api.post("/v1/webhooks", body["webhook"].take()).await.expect(201);
    let change = json!({"webhook_endpoint_id": made["id"],
        "changes": {"target_url": receiver.url("/new"), "headers": {"x-team": "payments"}}});

    let preview = api.post("/v1/webhooks/preview", change.clone()).await.expect(200);
    assert_eq!(preview["requests"][0]["url"], receiver.url("/new"));
    let taken = api.post("/v1/webhooks/test", change.clone()).await.expect(200);
    assert_eq!(taken["is_delivered"], true, "{taken}");
    let sent = &receiver.at("/new")[0];
    assert_eq!(
        (sent.header("x-team"), sent.header("authorization")),
        ("payments", &*format!("Bearer {TOKEN}"))
    );
    assert!(receiver.at("/old").is_empty());

    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let stored = api.get(&path).await.expect(200);
    assert_eq!((&stored["target_url"], &stored["version"]), (&made["target_url"], &json!(1)));
    assert_eq!(api.get("/v1/audit").await.expect(200)["data"][0]["resource"], made["id"]);
    let foreign = host.tenant("another").post("/v1/webhooks/test", change.clone()).await;
    assert!(foreign.problem(404).is_empty());
    // The secrets of what is stored go where a draft says: that is a change, and an editor's.
    for path in ["/v1/webhooks/preview", "/v1/webhooks/test"] {
        assert!(key(api, "viewer").await.post(path, change.clone()).await.problem(403).is_empty());
        key(api, "editor").await.post(path, change.clone()).await.expect(200);
    }
}

#[tokio::test]
async fn a_preview_of_a_changed_endpoint_does_not_show_the_url_that_is_its_secret() {
    let host = TestHost::start().await;
    let hidden = "T0000000/B0000000/hidden-part-of-it";
    let slack = json!({"name": "Slack", "target": "slack",
        "target_url": format!("https://hooks.slack.com/services/{hidden}")});
    let new = host.api.post("/v1/webhooks/preview", json!({"webhook": slack})).await.expect(200);
    assert!(!new.to_string().contains(hidden), "{new}");
    let made = host.api.post("/v1/webhooks", slack).await.expect(201);
    let change = json!({"webhook_endpoint_id": made["id"], "changes": {"name": "Renamed"}});
    let changed = host.api.post("/v1/webhooks/preview", change).await.expect(200);
    assert!(!changed.to_string().contains(hidden), "{changed}");
    assert_eq!(changed["requests"][0]["method"], "POST");
}
