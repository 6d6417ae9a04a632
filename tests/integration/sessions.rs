//! People in browsers: signing in, what a session may do, and when it ends.

use std::time::Duration;

use alerts_server::ServerOptions;
use alerts_server::settings::Site;
use alerts_test_support::postgres::fresh_database;
use serde_json::json;

use crate::support::api::{Answer, Api, KEY};
use crate::support::eventually;
use crate::support::host::{TENANT, TestHost};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A client without a key.
pub(crate) fn nobody(host: &TestHost) -> Api {
    host.api.with("x-api-key", None).with("x-exosphere-namespace", None)
}

async fn key(host: &TestHost, role: &str) -> (String, String) {
    let made = host.api.post("/v1/api-keys", json!({"name": role, "role": role})).await.expect(201);
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

/// The header that counts: one before it has the browser forget what it had elsewhere.
pub(crate) fn set_cookie(answer: &Answer) -> &str {
    answer.headers.get_all("set-cookie").iter().next_back().unwrap().to_str().unwrap()
}

/// The cookie that an answer sets, as a browser sends it back.
#[track_caller]
pub(crate) fn cookie(answer: &Answer) -> String {
    assert_eq!(answer.status, 204, "{}", answer.body);
    let set = set_cookie(answer);
    set.split(';').next().unwrap().to_owned()
}

/// A browser in which somebody has signed in with this key.
async fn signed_in(host: &TestHost, key: &str) -> Api {
    let answer = nobody(host).post("/v1/session", json!({"key": key})).await;
    nobody(host).with("cookie", Some(&cookie(&answer)))
}

/// The same browser, with the proof for changes.
pub(crate) async fn with_proof(browser: &Api) -> Api {
    let session = browser.get("/v1/session").await.expect(200);
    browser.with("x-csrf-token", session["csrf_token"].as_str())
}

#[track_caller]
fn is_over(answer: Answer) {
    let kind = answer.body["type"].as_str().unwrap_or_default().to_owned();
    answer.problem(401);
    assert!(kind.ends_with("/session-ended"), "{kind}");
}

#[tokio::test]
async fn a_person_signs_in_changes_something_and_signs_out() {
    let host = TestHost::start().await;
    let (id, key) = key(&host, "editor").await;
    let answer = nobody(&host).post("/v1/session", json!({"key": key})).await;
    let set = set_cookie(&answer).to_owned();
    let attributes: Vec<_> = set.split("; ").skip(1).collect();
    assert_eq!(attributes, ["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"]);
    let browser = nobody(&host).with("cookie", Some(&format!("theme=dark; {}", cookie(&answer))));

    let session = browser.get("/v1/session").await.expect(200);
    assert_eq!((&session["role"], &session["namespace"]), (&json!("editor"), &json!(TENANT)));
    let end: alerts_domain::Timestamp = session["expires_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(end, host.now().saturating_add(12 * HOUR).unwrap());

    browser.get("/v1/webhooks").await.expect(200);
    let body = json!({"name": "x", "target_url": "http://127.0.0.1:9/"});
    browser.post("/v1/webhooks", body.clone()).await.problem(403);
    browser
        .with("x-csrf-token", Some("made up"))
        .post("/v1/webhooks", body.clone())
        .await
        .problem(403);
    let page = with_proof(&browser).await;
    let made = page.post("/v1/webhooks", body).await.expect(201);
    assert_eq!(made["created_by"], id.as_str());
    page.post("/v1/api-keys", json!({"name": "x", "role": "viewer"})).await.problem(403);

    browser.delete("/v1/session").await.problem(403);
    let left = page.delete("/v1/session").await;
    assert!(left.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    left.expect(204);
    is_over(browser.get("/v1/session").await);
    is_over(browser.get("/v1/webhooks").await);
    nobody(&host).get("/v1/session").await.problem(401);

    let log = host.api.get("/v1/audit").await.expect(200);
    let actions: Vec<_> =
        log["data"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions[..3], ["session.ended", "webhook.created", "session.opened"]);
    assert_eq!(log["data"][0]["actor"], id.as_str());
}

#[tokio::test]
async fn wrong_keys_are_answered_more_and_more_slowly_and_then_refused() {
    let host = TestHost::start().await;
    let try_in = async || nobody(&host).post("/v1/session", json!({"key": "exo_wrong"})).await;
    for _ in 0..5 {
        try_in().await.problem(401);
    }
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let api = nobody(&host);
            tokio::spawn(async move { api.post("/v1/session", json!({"key": "exo_wrong"})).await })
        })
        .collect();
    // Five wait for their turns, by the clock, which stands still.
    eventually("three tries too many", async || {
        (tries.iter().filter(|one| one.is_finished()).count() == 3).then_some(())
    })
    .await;
    // The right key has to wait for its turn as well: nobody can tell it by the time.
    let refused = nobody(&host).post("/v1/session", json!({"key": KEY})).await;
    assert_eq!(refused.headers["retry-after"], "1");
    refused.problem(429);
    host.later(Duration::from_secs(10));
    let mut told = Vec::new();
    for one in tries {
        told.push(one.await.unwrap().status);
    }
    told.sort_unstable();
    assert_eq!(told, [401, 401, 401, 401, 401, 429, 429, 429]);
    host.later(Duration::from_secs(60));
    signed_in(&host, KEY).await.get("/v1/session").await.expect(200);
}

#[tokio::test]
async fn a_session_ends_by_its_time_by_its_keys_and_by_its_keys_revocation() {
    let host = TestHost::start().await;
    let (id, viewer) = key(&host, "viewer").await;
    let (first, second) = (signed_in(&host, &viewer).await, signed_in(&host, &viewer).await);
    for browser in [&first, &second] {
        browser.get("/v1/webhooks").await.expect(200);
    }
    host.api.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
    for browser in [&first, &second] {
        is_over(browser.get("/v1/webhooks").await);
    }

    let end = host.now().saturating_add(HOUR).unwrap();
    let body = json!({"name": "short", "role": "viewer", "expires_at": end});
    let short = host.api.post("/v1/api-keys", body).await.expect(201);
    let short = signed_in(&host, short["key"].as_str().unwrap()).await;
    let session = short.get("/v1/session").await.expect(200);
    assert_eq!(session["expires_at"], json!(end));
    let long = signed_in(&host, KEY).await;
    host.later(HOUR);
    is_over(short.get("/v1/session").await);
    host.later(11 * HOUR - Duration::from_secs(1));
    long.get("/v1/session").await.expect(200);
    host.later(Duration::from_secs(1));
    is_over(long.get("/v1/session").await);
}

#[tokio::test]
async fn a_session_works_on_every_host_and_ends_on_all_of_them() {
    let url = fresh_database().await;
    let (first, second) = (TestHost::on(&url).await, TestHost::on(&url).await);
    let (id, viewer) = key(&first, "viewer").await;
    let sign_in = async || {
        let answer = nobody(&first).post("/v1/session", json!({"key": viewer})).await;
        let here = nobody(&first).with("cookie", Some(&cookie(&answer)));
        let there = nobody(&second).with("cookie", Some(&cookie(&answer)));
        there.get("/v1/webhooks").await.expect(200);
        (here, there)
    };
    let (here, there) = sign_in().await;
    with_proof(&here).await.delete("/v1/session").await.expect(204);
    is_over(there.get("/v1/webhooks").await);

    let (here, there) = sign_in().await;
    second.api.delete(&format!("/v1/api-keys/{id}")).await.expect(204);
    is_over(here.get("/v1/webhooks").await);
    is_over(there.get("/v1/webhooks").await);
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_its_token_is_nowhere_on_the_disk() {
    let mut host = TestHost::start().await;
    let answer = nobody(&host).post("/v1/session", json!({"key": KEY})).await;
    let cookie = cookie(&answer);
    host.restart().await;
    nobody(&host).with("cookie", Some(&cookie)).get("/v1/session").await.expect(200);
    let token = cookie.split_once("exo_session_").unwrap().1.as_bytes();
    for file in std::fs::read_dir(host.folder()).unwrap() {
        let Ok(bytes) = std::fs::read(file.unwrap().path()) else { continue };
        assert!(!bytes.windows(token.len()).any(|window| window == token));
    }
}

#[tokio::test]
async fn a_platform_session_acts_for_the_namespace_that_it_names() {
    let host = TestHost::start().await;
    let browser = signed_in(&host, KEY).await;
    let session = browser.get("/v1/session").await.expect(200);
    assert_eq!((&session["role"], &session["namespace"]), (&json!("platform"), &json!(null)));
    browser.get("/v1/webhooks").await.problem(400);
    let page = with_proof(&browser).await.with("x-exosphere-namespace", Some("one"));
    page.post("/v1/webhooks", json!({"name": "x", "target_url": "http://127.0.0.1:9/"}))
        .await
        .expect(201);
    let count = async |namespace| {
        let page = browser.with("x-exosphere-namespace", Some(namespace));
        page.get("/v1/webhooks").await.expect(200)["data"].as_array().unwrap().len()
    };
    assert_eq!((count("one").await, count("two").await), (1, 0));
    let (_, viewer) = key(&host, "viewer").await;
    let other = signed_in(&host, &viewer).await.with("x-exosphere-namespace", Some("one"));
    other.get("/v1/webhooks").await.problem(403);
}

#[tokio::test]
async fn a_change_from_another_sites_page_is_refused_even_with_the_proof() {
    let host = TestHost::start().await;
    let page = with_proof(&signed_in(&host, KEY).await).await;
    let page = page.with("x-exosphere-namespace", Some(TENANT));
    let body = json!({"name": "x", "target_url": "http://127.0.0.1:9/"});
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let other = page.with(name, Some(value));
        other.post("/v1/webhooks", body.clone()).await.problem(403);
        other.delete("/v1/session").await.problem(403);
        let sign_in = nobody(&host).with(name, Some(value));
        sign_in.post("/v1/session", json!({"key": KEY})).await.problem(403);
    }
    // A form of another site needs no leave to be sent, and is no JSON.
    let form = nobody(&host).with("content-type", Some("text/plain"));
    form.post("/v1/session", json!({"key": KEY})).await.problem(415);
    let own = page.with("origin", Some(&format!("http://{}", host.address())));
    own.post("/v1/webhooks", body).await.expect(201);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_sent_by_tls_alone() {
    let is_secure = async |host: &TestHost, proto: Option<&str>| {
        let api = nobody(host).with("x-forwarded-proto", proto);
        let answer = api.post("/v1/session", json!({"key": KEY})).await;
        set_cookie(&answer).ends_with("; SameSite=Strict; Secure")
    };
    let host = TestHost::start().await;
    assert!(!is_secure(&host, None).await);
    assert!(is_secure(&host, Some("https")).await);
    let site = Site::parse(Some("https://alerts.example.com"), None).unwrap();
    let host = TestHost::served(ServerOptions { site, ..ServerOptions::default() }).await;
    assert!(is_secure(&host, None).await);
}

#[tokio::test]
async fn a_key_has_a_hundred_sessions_and_then_the_oldest_ends() {
    let host = TestHost::start().await;
    let (_, viewer) = key(&host, "viewer").await;
    let mut browsers = Vec::new();
    for _ in 0..102 {
        browsers.push(signed_in(&host, &viewer).await);
        browsers[0].get("/v1/session").await;
        host.later(Duration::from_millis(1));
    }
    is_over(browsers[0].get("/v1/session").await);
    is_over(browsers[1].get("/v1/session").await);
    browsers[2].get("/v1/session").await.expect(200);
    browsers[101].get("/v1/session").await.expect(200);
    signed_in(&host, KEY).await.get("/v1/session").await.expect(200);
}

#[tokio::test]
async fn a_session_is_opened_with_a_key_and_nothing_else() {
    let host = TestHost::start().await;
    assert_eq!(nobody(&host).post("/v1/session", json!({})).await.problem(400), ["/key"]);
    let both = json!({"key": KEY, "portal_token": "x"});
    assert_eq!(nobody(&host).post("/v1/session", both).await.problem(400), ["/portal_token"]);
    let body = json!({"key": KEY, "remember": true});
    assert_eq!(nobody(&host).post("/v1/session", body).await.problem(400), ["/remember"]);
    // A token of a session is no key.
    let answer = nobody(&host).post("/v1/session", json!({"key": KEY})).await;
    let token = cookie(&answer).split_once('=').unwrap().1.to_owned();
    host.api.with("x-api-key", Some(&token)).get("/v1/webhooks").await.problem(401);
}
