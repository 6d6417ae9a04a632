//! What is told to callers who send something wrong: short, in one form, and without
//! what they sent by mistake.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::host::TestHost;
use crate::support::receiver::Receiver;

#[tokio::test]
async fn a_batch_with_a_million_errors_is_answered_with_the_first_and_their_number() {
    let host = TestHost::start().await;
    let fields: Vec<String> = (0..700).map(|number| format!("\"K{number}\":{{}}")).collect();
    let item = format!("{{{}}}", fields.join(","));
    let batch = format!("[{}]", vec![item; 1000].join(","));
    let api = host.api.with("content-type", Some("application/cloudevents-batch+json"));
    let answer = api.send(Method::POST, "/v1/events", Some(batch.into())).await;
    assert!(answer.text().len() < 64 * 1024, "{} bytes", answer.text().len());
    let more = answer.body["more_errors"].as_u64().unwrap();
    assert!(more > 100_000, "{more}");
    let detail = answer.body["detail"].as_str().unwrap().to_owned();
    let told = answer.problem(400);
    assert!(told.len() < 100 && told[0].starts_with("/0/"), "{told:?}");
    assert!(detail.contains(&format!("the first of {} errors", told.len() as u64 + more)));
}

#[tokio::test]
async fn a_secret_in_the_wrong_place_is_never_told_back() {
    const TOKEN: &str = "tok-4f1d9c0a7b";
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let path = format!("/v1/webhooks/{}", endpoint["id"].as_str().unwrap());
    for (field, value) in [
        ("secrets", json!(TOKEN)),
        ("secrets", json!([TOKEN])),
        ("secrets", json!({"token": [TOKEN]})),
        ("secrets", json!({"token": {"value": TOKEN}})),
        ("secret", json!([TOKEN])),
        ("secret", json!({"value": TOKEN})),
        ("headers", json!(TOKEN)),
        ("headers", json!({"authorization": [TOKEN]})),
        ("settings", json!(TOKEN)),
        ("settings", json!({"auth": TOKEN})),
        ("settings", json!({"auth": {"type": TOKEN}})),
        ("is_active", json!(TOKEN)),
        ("rate_limit", json!(TOKEN)),
    ] {
        let mut new = json!({"name": "x", "target_url": receiver.url("/hook")});
        new[field] = value.clone();
        for answer in [
            host.api.post("/v1/webhooks", new).await,
            host.api.patch(&path, json!({field: value.clone()})).await,
        ] {
            assert!(!answer.text().contains(TOKEN), "{}", answer.text());
            let told = answer.problem(400);
            assert!(told[0].starts_with(&format!("/{field}")), "{told:?}");
        }
    }
    for number in [json!({"secret": 4071930001_u64}), json!({"secrets": {"token": 4071930001_u64}})]
    {
        let told = host.api.patch(&path, number).await;
        assert!(!told.text().contains("4071930001"), "{}", told.text());
        assert_eq!(told.status, 400);
    }
}

#[tokio::test]
async fn a_character_that_no_database_holds_is_refused_at_its_field() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let (url, id) = (receiver.url("/hook"), endpoint["id"].as_str().unwrap());
    let webhook = |field: &str, value: Value| {
        let mut body = json!({"name": "x", "target_url": url});
        body[field] = value;
        body
    };
    for (path, body, pointer) in [
        ("/v1/webhooks", webhook("name", json!("a\0")), "/name"),
        ("/v1/webhooks", webhook("target_url", json!("http://h/\0")), "/target_url"),
        ("/v1/webhooks", webhook("headers", json!({"x-a": "\0"})), "/headers/x-a"),
        ("/v1/webhooks", webhook("settings", json!({"a": ["\0"]})), "/settings/a/0"),
        ("/v1/alert-rules", json!({"name": "\0"}), "/name"),
        ("/v1/api-keys", json!({"name": "\0", "role": "viewer"}), "/name"),
    ] {
        assert_eq!(host.api.post(path, body).await.problem(400), [pointer]);
    }
    for (path, pointer) in [
        ("/v1/events?type=%00", "/type"),
        ("/v1/events?type=a%0Ab", "/type"),
        ("/v1/tenants?cursor=%00", "/cursor"),
        ("/v1/deliveries?status=%00", "/status"),
    ] {
        assert_eq!(host.api.get(path).await.problem(400), [pointer]);
    }
    for path in ["/v1/webhooks/%00", "/v1/plugins/%00", "/v1/tenants/%00", "/v1/plugins/%00/grants"]
    {
        host.api.get(path).await.problem(404);
    }
    host.api.get(&format!("/v1/webhooks/{id}")).await.expect(200);
}

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let host = TestHost::start().await;
    for path in ["/v1/tenants/%ff", "/v1/webhooks/%ff", "/v1/plugins/%ff", "/docs/%ff", "/%ff"] {
        host.api.get(path).await.problem(404);
    }
    host.api.delete("/healthz").await.problem(405);
    host.api.send(Method::PUT, "/v1/webhooks", None).await.problem(405);
    host.api.send(Method::POST, "/v1/webhooks", Some(vec![b' '; 2_000_000])).await.problem(413);
    let text = host.api.with("content-type", Some("text/plain"));
    text.send(Method::POST, "/v1/webhooks", Some(b"{}".to_vec())).await.problem(415);
    let form = host.api.with("content-type", Some("multipart/form-data"));
    form.send(Method::POST, "/v1/plugins", Some(b"x".to_vec())).await.problem(400);
    let unknown = host.api.with("x-api-key", Some("exo_unknown"));
    unknown.get("/v1/webhooks").await.problem(401);
}

#[tokio::test]
async fn the_api_page_runs_its_own_scripts_alone() {
    let host = TestHost::start().await;
    for path in ["/docs/", "/docs/index.html", "/docs/swagger-ui-bundle.js"] {
        let page = host.api.get(path).await;
        assert_eq!(page.status, 200);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
    let page = host.api.get("/docs/").await.text();
    let scripts: Vec<_> = page.match_indices("<script").map(|(at, _)| &page[at..]).collect();
    assert!(!scripts.is_empty());
    // A script within the page would not run under that policy.
    assert!(scripts.iter().all(|script| script.starts_with("<script src=")), "{page}");
}

#[tokio::test]
async fn a_viewer_previews_an_alert_and_cannot_sign_one() {
    let (host, receiver) = (TestHost::start().await, Receiver::start().await);
    let endpoint = host.api.endpoint(&receiver.url("/hook"), json!({})).await;
    let path = format!("/v1/webhooks/{}/preview", endpoint["id"].as_str().unwrap());
    let library = standardwebhooks::Webhook::new(endpoint["secret"].as_str().unwrap()).unwrap();
    let verifies = async |role: &str| {
        let made = host.api.post("/v1/api-keys", json!({"name": role, "role": role})).await;
        let key = made.expect(201)["key"].as_str().unwrap().to_owned();
        let api = host.api.with("x-api-key", Some(&key));
        let preview = api.post(&path, json!({})).await.expect(200);
        let request = &preview["requests"][0];
        let mut headers = reqwest::header::HeaderMap::new();
        for pair in request["headers"].as_array().unwrap() {
            let name = pair[0].as_str().unwrap();
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            headers.insert(name, pair[1].as_str().unwrap().parse().unwrap());
        }
        assert!(headers.contains_key("webhook-id"), "{request}");
        let body = request["body"].as_str().unwrap().as_bytes();
        (library.verify(body, &headers).is_ok(), headers["x-exosphere-signature"].clone())
    };
    let (is_valid, own) = verifies("editor").await;
    assert!(is_valid && own.to_str().unwrap().contains("v1="));
    let (is_valid, own) = verifies("viewer").await;
    assert!(!is_valid && !own.to_str().unwrap().contains("v1="), "{own:?}");
}
