//! One hostile tenant: its namespace, its calls, and what came of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alerts_outside::Outcome;
use alerts_outside::host::call;
use reqwest::Method;
use serde_json::{Value, json};

use super::tally::Tally;

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(super) struct Attacker {
    pub(super) address: Arc<str>,
    /// Its namespace, which is the name of its attack.
    pub(super) tenant: &'static str,
    pub(super) http: reqwest::Client,
    done: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Attacker {
    pub(super) fn new(tenant: &'static str, address: &str) -> Outcome<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let (done, refused) = (Arc::default(), Arc::default());
        Ok(Self { address: address.into(), tenant, http, done, refused })
    }

    pub(super) fn tally(&self) -> Tally {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        Tally::of(self.tenant, count(&self.done), count(&self.refused))
    }

    /// Writes down what came of a call.
    pub(super) fn note(&self, is_done: bool) {
        let of = if is_done { &self.done } else { &self.refused };
        of.fetch_add(1, Ordering::Relaxed);
    }

    /// A call of the API; whatever comes of it is expected.
    pub(super) async fn call(&self, method: Method, path: &str, body: Value) {
        let body = Some(body).filter(|body| !body.is_null());
        let called = call(&self.http, &self.address, self.tenant, method, path, body).await;
        self.note(called.is_ok());
    }

    async fn make(&self, path: &str, body: Value) -> Outcome<Value> {
        call(&self.http, &self.address, self.tenant, Method::POST, path, Some(body)).await
    }

    /// Makes an endpoint to `url`; answers with its id.
    pub(super) async fn endpoint(&self, url: &str) -> Outcome<String> {
        let made = self.make("/v1/webhooks", json!({"name": "x", "target_url": url})).await?;
        Ok(made["id"].as_str().ok_or("an endpoint without an id")?.to_owned())
    }

    /// Makes a rule on all events to an endpoint.
    pub(super) async fn rule(&self, endpoint: &str, condition: &str) -> Outcome {
        let rule = json!({"name": "x", "event_type": "*", "condition": condition,
            "webhook_endpoint_id": endpoint});
        self.make("/v1/alert-rules", rule).await.map(drop)
    }

    /// Posts one event, as it is.
    pub(super) async fn event(&self, body: String) {
        self.post_events("application/cloudevents+json", body).await;
    }

    /// Posts many events at once.
    pub(super) async fn batch(&self, events: &[String]) {
        let body = format!("[{}]", events.join(","));
        self.post_events("application/cloudevents-batch+json", body).await;
    }

    async fn post_events(&self, content_type: &str, body: String) {
        let request = self
            .http
            .post(format!("http://{}/v1/events", self.address))
            .header("content-type", content_type)
            .header("x-api-key", alerts_outside::host::KEY)
            .header("x-exosphere-namespace", self.tenant)
            .body(body);
        let answered = async { request.send().await?.error_for_status()?.bytes().await };
        self.note(answered.await.is_ok());
    }
}
