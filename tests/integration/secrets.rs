//! Where a secret may be found: where it belongs, and nowhere else.

use std::path::Path;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::events::failed;
use crate::support::eventually;
use crate::support::process::{HostProcess, command, free_address};
use crate::support::receiver::Receiver;

// Of letters that every way of writing treats otherwise.
const BEARER: &str = r#"bearer"tok\en+/=&1"#;
const BASIC: &str = "b3BzOmJhc2ljLXBhc3N3b3JkLXF1aXRlLWxvbmc=";
const API_KEY: &str = "apikey<7>%41;secret";
const ROUTING: &str = "R0uting\"key\\0123456789abcdef/é";
const SLACK: &str = "/services/T0/B0/slackXsecret%2Fpart";
const QUERY: &str = "?token=querysecret9";
const SIGNING: &str = "whsec_c2lnbmluZy1zZWNyZXQtb2YtdGhlLXRlc3QtMTIz";

/// A secret as it is, and in every form that a program might write it in.
fn forms(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_string();
    let url: String = url_encoded(secret);
    vec![
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        // JSON in JSON, as a stored body is in an answer.
        Value::from(&json[1..json.len() - 1]).to_string().trim_matches('"').to_owned(),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        url.clone(),
        url.to_lowercase(),
        format!("{secret:?}").trim_matches('"').to_owned(),
    ]
}

fn url_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// Everything that the API says, gathered as it is said.
struct Heard {
    api: Api,
    texts: Vec<(String, String)>,
}

impl Heard {
    async fn get(&mut self, path: &str) -> Value {
        let answer = self.api.get(path).await;
        self.texts.push((path.to_owned(), answer.text()));
        answer.body
    }

    async fn post(&mut self, path: &str, body: Value) -> Value {
        let answer = self.api.post(path, body).await;
        self.texts.push((path.to_owned(), answer.text()));
        answer.body
    }

    /// All items of a list, each looked at alone as well.
    async fn list(&mut self, path: &str) -> Vec<Value> {
        let listed = self.get(&format!("{path}?limit=200")).await;
        let items = listed["data"].as_array().unwrap().clone();
        for item in &items {
            if let Some(id) = item["id"].as_str() {
                self.get(&format!("{path}/{id}")).await;
            }
        }
        items
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.display().to_string(), std::fs::read(path).unwrap())),
        }
    }
    found
}

#[tokio::test]
async fn no_secret_is_in_the_database_the_log_or_any_answer() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), Receiver::start().await);
    let log = std::fs::File::create(folder.path().join("host.log")).unwrap();
    let mut settings = command(folder.path());
    settings.env("ALERTS_LOG", "debug").stderr(log);
    let host = HostProcess::start_with(settings, free_address()).await;
    let api = host.api("payments");

    // Targets that fail once, and give away in their answer what they were sent.
    let shouts = |path: &str, secret: &'static str| {
        receiver.script(path, move |n| match n {
            0 => (StatusCode::INTERNAL_SERVER_ERROR, format!("bad token {secret}")).into_response(),
            _ => StatusCode::OK.into_response(),
        });
    };
    for (path, secret) in
        [("/bearer", BEARER), ("/basic", BASIC), ("/key", API_KEY), ("/pd", ROUTING)]
    {
        shouts(path, secret);
    }
    let slack_path = SLACK.to_owned();
    receiver.script(&slack_path, |n| match n {
        0 => (StatusCode::INTERNAL_SERVER_ERROR, format!("no such hook {SLACK}")).into_response(),
        _ => "ok".into_response(),
    });
    // Nobody listens there: the error of the connection is told.
    let closed = free_address();
    let auth = |kind: &str| json!({"auth": {"type": kind}});
    let drafts = [
        json!({"target_url": receiver.url("/bearer"), "settings": auth("bearer"), "secrets": {"token": BEARER}}),
        json!({"target_url": receiver.url("/basic"), "settings": auth("basic"), "secrets": {"token": BASIC}}),
        json!({"target_url": receiver.url("/key"), "settings": auth("api_key"), "secrets": {"token": API_KEY}}),
        json!({"target_url": receiver.url("/pd"), "target": "pagerduty", "secrets": {"routing_key": ROUTING}}),
        json!({"target_url": receiver.url(SLACK), "target": "slack"}),
        json!({"target_url": format!("http://{closed}/{QUERY}"), "target": "slack"}),
        json!({"target_url": format!("http://{closed}/x"), "settings": auth("bearer"), "secrets": {"token": BEARER}}),
        json!({"target_url": receiver.url("/signed"), "secret": SIGNING}),
        json!({"target_url": receiver.url("/generated")}),
    ];
    let mut made_secrets = Vec::new();
    let mut endpoints = Vec::new();
    for (number, draft) in drafts.into_iter().enumerate() {
        // Its answer is kept for repetitions: with the new endpoint's secret in it.
        let key = format!("create-{number}");
        let again = api.with("idempotency-key", Some(&key));
        let mut body = json!({"name": format!("endpoint {number}")});
        body.as_object_mut().unwrap().extend(draft.as_object().unwrap().clone());
        let made = again.post("/v1/webhooks", body.clone()).await.expect(201);
        let repeated = again.post("/v1/webhooks", body).await.expect(201);
        assert_eq!(made, repeated);
        made_secrets.extend(made["secret"].as_str().map(str::to_owned));
        api.rule(
            &made,
            json!({
                "name": format!("rule {number}"),
                "retry_policy": {"max_retries": 3, "strategy": "FIXED", "backoff_factor": 1},
            }),
        )
        .await;
        endpoints.push(made["id"].as_str().unwrap().to_owned());
    }
    let key = api.with("idempotency-key", Some("key-1"));
    let body = json!({"name": "viewer", "role": "viewer"});
    made_secrets
        .push(key.post("/v1/api-keys", body).await.expect(201)["key"].as_str().unwrap().to_owned());

    let mut heard = Heard { api: api.clone(), texts: Vec::new() };
    for endpoint in &endpoints {
        let path = format!("/v1/webhooks/{endpoint}");
        heard.post(&format!("{path}/preview"), json!({})).await;
        heard.post(&format!("{path}/test"), json!({})).await;
        let wrong = api.patch(&path, json!({"settings": {"colour": "red"}})).await;
        heard.texts.push((path.clone(), wrong.text()));
        let renamed = api.patch(&path, json!({"name": "renamed"})).await;
        heard.texts.push((path.clone(), renamed.text()));
    }
    let rotate = format!("/v1/webhooks/{}/rotate-secret", endpoints[8]);
    let rotated = api.post(&rotate, json!({})).await.expect(200);
    made_secrets.extend(rotated["secret"].as_str().map(str::to_owned));
    api.event(failed("evt-1")).await;
    eventually("every delivery has ended", async || {
        let ended = ["delivered", "dead"];
        let deliveries = api.deliveries().await;
        let is_over = |d: &Value| ended.contains(&d["status"].as_str().unwrap());
        (deliveries.len() >= 2 * endpoints.len() && deliveries.iter().all(is_over)).then_some(())
    })
    .await;
    let deliveries = heard.list("/v1/deliveries").await;
    assert!(deliveries.iter().any(|d| d["status"] == "dead"), "the closed port has failed");
    for path in ["/v1/webhooks", "/v1/alert-rules", "/v1/events", "/v1/plugins"] {
        heard.list(path).await;
    }
    for path in ["/v1/audit?limit=200", "/v1/api-keys", "/metrics"] {
        heard.get(path).await;
    }
    let unkeyed = api.with("x-exosphere-namespace", None).get("/v1/audit").await;
    heard.texts.push(("the host's audit".into(), unkeyed.text()));

    // All of them came where they belong, or this test could not fail.
    let at = |path: &str| receiver.at(path)[0].clone();
    assert_eq!(at("/bearer").header("authorization"), format!("Bearer {BEARER}"));
    assert_eq!(at("/basic").header("authorization"), format!("Basic {BASIC}"));
    assert_eq!(at("/key").header("x-api-key"), API_KEY);
    assert_eq!(at("/pd").json()["routing_key"], ROUTING);
    assert!(!receiver.at(SLACK).is_empty());
    let shouted = "bad token exosphere-secret-token";
    assert!(heard.texts.iter().any(|(_, text)| text.contains(shouted)), "kept with a reference");

    // While it runs, so that the write-ahead log is there; and once more when it is closed.
    let mut places: Vec<(String, Vec<u8>)> =
        heard.texts.into_iter().map(|(place, text)| (place, text.into_bytes())).collect();
    places.extend(files(folder.path()));
    assert!(places.iter().any(|(place, _)| place.ends_with("alerts.db-wal")));
    assert_eq!(host.terminate(), Some(0));
    let again = files(folder.path()).into_iter();
    places.extend(again.filter(|(place, _)| !place.contains("plugin-cache")));
    let log = std::fs::read_to_string(folder.path().join("host.log")).unwrap();
    assert!(log.contains("DEBUG"), "the log is at debug level");
    let given = [BEARER, BASIC, API_KEY, ROUTING, SLACK, QUERY, SIGNING].map(str::to_owned);
    for secret in given.iter().chain(&made_secrets) {
        for form in forms(secret) {
            for (place, bytes) in &places {
                let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
                assert!(!found, "{place} holds {secret} as {form}");
            }
        }
    }
}
