//! Portal links: somebody without a key comes into one namespace, once.

use std::time::Duration;

use alerts_server::ServerOptions;
use alerts_server::settings::Site;
use alerts_test_support::postgres::fresh_database;
use reqwest::Method;
use serde_json::{Value, json};

use crate::sessions::{cookie, nobody, set_cookie, with_proof};
use crate::support::api::{Answer, Api};
use crate::support::host::{TENANT, TestHost};

async fn link(api: &Api, role: &str) -> Value {
    let body = json!({"role": role, "expires_in_s": 60});
    api.post("/v1/portal-links", body).await.expect(201)
}

/// What a page reads of the address that it was opened at.
fn token(link: &Value) -> String {
    link["url"].as_str().unwrap().split_once("/settings/alerts/portal#").unwrap().1.to_owned()
}

async fn open(host: &TestHost, token: &str) -> Answer {
    nobody(host).post("/v1/session", json!({"portal_token": token})).await
}

#[tokio::test]
async fn a_link_opens_once_into_one_namespace_with_its_role() {
    let host = TestHost::start().await;
    let body = json!({"role": "editor", "expires_in_s": 60, "theme": "dark", "accent": "#87ceeb",
        "return_url": "https://exosphere.example.com/"});
    let made = host.api.post("/v1/portal-links", body.clone()).await.expect(201);
    assert!(made["url"].as_str().unwrap().starts_with(&format!("http://{}/", host.address())));
    assert_eq!(
        made["expires_at"],
        json!(host.now().saturating_add(Duration::from_secs(60)).unwrap())
    );
    let opened = open(&host, &token(&made)).await;
    let browser = nobody(&host).with("cookie", Some(&cookie(&opened)));
    open(&host, &token(&made)).await.problem(401);

    let session = browser.get("/v1/session").await.expect(200);
    assert_eq!((&session["role"], &session["namespace"]), (&json!("editor"), &json!(TENANT)));
    let told = json!({"theme": "dark", "accent": "#87ceeb",
        "return_url": "https://exosphere.example.com/"});
    assert_eq!(session["portal"], told);
    let page = with_proof(&browser).await;
    let webhook = json!({"name": "x", "target_url": "http://127.0.0.1:9/"});
    let changed = page.post("/v1/webhooks", webhook.clone()).await.expect(201);
    assert_eq!(changed["created_by"], made["id"], "the link, not the key, made it");
    page.with("x-exosphere-namespace", Some("other")).get("/v1/webhooks").await.problem(403);
    for (path, body) in
        [("/v1/api-keys", json!({"name": "x", "role": "viewer"})), ("/v1/portal-links", body)]
    {
        page.post(path, body).await.problem(403);
    }

    let viewer = open(&host, &token(&link(&host.api, "viewer").await)).await;
    let viewer = with_proof(&nobody(&host).with("cookie", Some(&cookie(&viewer)))).await;
    viewer.get("/v1/webhooks").await.expect(200);
    viewer.post("/v1/webhooks", webhook).await.problem(403);

    let log = host.api.get("/v1/audit").await.expect(200);
    let entries = log["data"].as_array().unwrap();
    let opened = entries.iter().rfind(|entry| entry["action"] == "portal_link.opened").unwrap();
    assert_eq!(opened["actor"], made["id"]);
    let created = entries.iter().rfind(|entry| entry["action"] == "portal_link.created").unwrap();
    assert_eq!(created["resource"], made["id"]);
}

#[tokio::test]
async fn of_many_who_open_one_link_at_once_exactly_one_comes_in() {
    let url = fresh_database().await;
    let (first, second) = (TestHost::on(&url).await, TestHost::on(&url).await);
    for _ in 0..5 {
        let token = token(&link(&first.api, "viewer").await);
        let tries =
            (0..4).map(|number| open(if number % 2 == 0 { &first } else { &second }, &token));
        let told = futures_util::future::join_all(tries).await;
        let mut told: Vec<_> = told.iter().map(|answer| answer.status).collect();
        told.sort_unstable();
        assert_eq!(told, [204, 401, 401, 401]);
        for host in [&first, &second] {
            host.later(Duration::from_secs(60));
        }
    }
}

#[tokio::test]
async fn a_link_ends_by_its_time_and_with_the_key_that_made_it() {
    let host = TestHost::start().await;
    let late = link(&host.api, "viewer").await;
    host.later(Duration::from_secs(60));
    open(&host, &token(&late)).await.problem(401);

    let body = json!({"name": "platform page", "role": "admin"});
    let admin = host.api.post("/v1/api-keys", body).await.expect(201);
    let api = host.api.with("x-api-key", admin["key"].as_str());
    let (used, unused) = (link(&api, "viewer").await, link(&api, "viewer").await);
    let browser = nobody(&host).with("cookie", Some(&cookie(&open(&host, &token(&used)).await)));
    browser.get("/v1/webhooks").await.expect(200);
    host.api.delete(&format!("/v1/api-keys/{}", admin["id"].as_str().unwrap())).await.expect(204);
    browser.get("/v1/webhooks").await.problem(401);
    open(&host, &token(&unused)).await.problem(401);
}

#[tokio::test]
async fn a_link_is_made_by_who_manages_a_namespace_and_for_one_that_is_named() {
    let host = TestHost::start().await;
    let body = json!({"role": "viewer", "expires_in_s": 60});
    let unnamed = host.api.with("x-exosphere-namespace", None);
    unnamed.post("/v1/portal-links", body.clone()).await.problem(400);
    let editor = json!({"name": "x", "role": "editor"});
    let editor = host.api.post("/v1/api-keys", editor).await.expect(201);
    let editor = host.api.with("x-api-key", editor["key"].as_str());
    editor.post("/v1/portal-links", body.clone()).await.problem(403);
    for (field, value) in [
        ("role", json!("admin")),
        ("role", json!("root")),
        ("expires_in_s", json!(0)),
        ("expires_in_s", json!(-1)),
        ("theme", json!("pink")),
        ("accent", json!("url(x)")),
        ("return_url", json!("javascript:alert(1)")),
    ] {
        let mut wrong = body.clone();
        wrong[field] = value;
        let told = host.api.post("/v1/portal-links", wrong).await;
        assert_eq!(told.problem(400), [format!("/{field}")]);
    }
    let once = host.api.with("idempotency-key", Some("frame"));
    let links = async || {
        let body = Some(body.to_string().into());
        once.send(Method::POST, "/v1/portal-links", body).await.expect(201)
    };
    assert_eq!(links().await, links().await);
}

#[tokio::test]
async fn in_a_frame_only_the_session_of_a_link_travels_and_only_by_tls() {
    let site =
        Site::parse(Some("https://alerts.example.com"), Some("https://exosphere.example.com"));
    let site = site.unwrap();
    let host = TestHost::served(ServerOptions { site, ..ServerOptions::default() }).await;
    let made = link(&host.api, "viewer").await;
    assert!(made["url"].as_str().unwrap().starts_with("https://alerts.example.com/"));
    let last_cookie = |answer: &Answer| set_cookie(answer).to_owned();
    let of_link = last_cookie(&open(&host, &token(&made)).await);
    assert!(of_link.ends_with("; HttpOnly; SameSite=None; Secure; Partitioned"), "{of_link}");
    let key = json!({"key": crate::support::api::KEY});
    let of_key = last_cookie(&nobody(&host).post("/v1/session", key).await);
    assert!(of_key.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{of_key}");
    let page = host.api.get("/settings/alerts/portal").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors https://exosphere.example.com"), "{policy}");

    // Where no site is named, a link's session stays out of frames.
    let host = TestHost::start().await;
    let made = link(&host.api, "viewer").await;
    let of_link = last_cookie(&open(&host, &token(&made)).await);
    assert!(of_link.ends_with("; HttpOnly; SameSite=Strict"), "{of_link}");
}
