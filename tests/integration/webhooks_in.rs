//! Webhooks in: what other programs post in their own words becomes events.

mod changing;
mod mapped;
mod platforms;
mod refusals;

use alerts_domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::api::{Answer, Api};
use crate::support::host::TestHost;

/// A secret that the tests choose.
const SECRET: &str = "a-secret-of-the-tests";

/// Makes a source with [`SECRET`]; `more` replaces and adds fields.
async fn source(api: &Api, more: Value) -> Value {
    let mut body = json!({"name": "Ours", "kind": "github", "secret": SECRET});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    api.post("/v1/sources", body).await.expect(201)
}

/// A source whose events are made by this mapping.
async fn mapped(api: &Api, mapping: Value) -> Value {
    source(api, json!({"kind": "mapped", "mapping": mapping})).await
}

fn path(source: &Value, rest: &str) -> String {
    format!("/v1/sources/{}{rest}", source["id"].as_str().unwrap())
}

/// A sender, who has no API key.
fn sender(host: &TestHost) -> Api {
    host.api.with("x-api-key", None).with("x-exosphere-namespace", None)
}

/// Posts as somebody who sends the secret itself.
async fn post(host: &TestHost, source: &Value, body: &Value) -> Answer {
    let sender = sender(host).with("x-exosphere-token", Some(SECRET));
    sender.post(&path(source, "/events"), body.clone()).await
}

/// Posts as GitHub does: signed, with the word for what it is about.
async fn post_signed(host: &TestHost, source: &Value, event: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let sender = sender(host)
        .with("x-hub-signature-256", Some(&hub_signature(SECRET, body.as_bytes())))
        .with("x-github-event", Some(event))
        .with("x-github-delivery", Some("72d3162e-cc78-11e3-81ab-4c9367dc0958"));
    sender.send(reqwest::Method::POST, &path(source, "/events"), Some(body.into())).await
}

fn hub_signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The headers of Standard Webhooks, at the host's time.
fn standard_signature(host: &TestHost, secret: &str, body: &[u8]) -> Vec<(String, String)> {
    let secret = Secret::new(secret);
    let signed =
        alerts_domain::signature::headers([&secret].into_iter(), "msg_1", host.now(), body);
    signed.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The stored events, newest first.
async fn events(api: &Api) -> Vec<Value> {
    let listed = api.get("/v1/events").await.expect(200);
    listed["data"].as_array().unwrap().iter().map(|stored| stored["event"].clone()).collect()
}

/// What the host has counted of requests to sources of this kind.
async fn counted(host: &TestHost, kind: &str, result: &str) -> u64 {
    let Value::String(figures) = host.api.get("/metrics").await.expect(200) else {
        panic!("metrics are a text")
    };
    let line = format!("alerts_source_requests_total{{kind=\"{kind}\",result=\"{result}\"}} ");
    let found = figures.lines().find_map(|text| text.strip_prefix(&line));
    found.map_or(0, |count| count.parse().unwrap())
}
