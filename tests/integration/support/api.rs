//! A client of the API that speaks for one tenant.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::eventually;

/// The platform key that hosts in tests are started with.
pub(crate) const KEY: &str = "exo_platform_key_for_tests_only_0001";

/// A client with a key and a tenant.
#[derive(Clone)]
pub(crate) struct Api {
    client: reqwest::Client,
    base: String,
    headers: Vec<(&'static str, String)>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of an answer with the expected status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The pointers of a problem document with the expected status.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Vec<String> {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], status);
        for field in ["type", "title", "detail"] {
            assert!(self.body[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
        }
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap_or("none").to_owned()).collect()
    }

    /// Everything that the answer says, for a look at its words.
    pub(crate) fn text(&self) -> String {
        self.body.to_string()
    }
}

impl Api {
    pub(crate) fn new(address: impl std::fmt::Display, tenant: &str) -> Self {
        // A test without a host in its process has no other to choose it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            // Far above any answer, so that one that never comes fails its test.
            .timeout(std::time::Duration::from_secs(60))
            .build()
            .unwrap();
        let headers =
            vec![("x-api-key", KEY.to_owned()), ("x-exosphere-namespace", tenant.to_owned())];
        Self { client, base: format!("http://{address}"), headers }
    }

    /// The same with one header set to another value, or left out.
    pub(crate) fn with(&self, name: &'static str, value: Option<&str>) -> Self {
        let mut api = self.clone();
        api.headers.retain(|(known, _)| *known != name);
        api.headers.extend(value.map(|value| (name, value.to_owned())));
        api
    }

    /// Sends bytes as they are.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        self.try_send(method, path, body).await.unwrap()
    }

    /// The same, where the host may be gone.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = body {
            if !self.headers.iter().any(|(name, _)| *name == "content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, headers, body })
    }

    /// The head of an answer of which the body has no end.
    pub(crate) async fn open(&self, path: &str) -> reqwest::Response {
        let mut request = self.client.get(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string().into())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// Makes an endpoint to `target_url`; `more` replaces and adds fields.
    pub(crate) async fn endpoint(&self, target_url: &str, more: Value) -> Value {
        let mut body = json!({"name": "On call", "target_url": target_url});
        merge(&mut body, more);
        self.post("/v1/webhooks", body).await.expect(201)
    }

    /// Makes a rule on failures to an endpoint; `more` replaces and adds fields.
    pub(crate) async fn rule(&self, endpoint: &Value, more: Value) -> Value {
        let mut body = json!({
            "name": "On failure",
            "event_type": "workflow.failed",
            "webhook_endpoint_id": endpoint["id"],
        });
        merge(&mut body, more);
        self.post("/v1/alert-rules", body).await.expect(201)
    }

    /// Posts an event that must be accepted; says whether it was a repetition.
    pub(crate) async fn event(&self, event: Value) -> bool {
        let accepted = self.post("/v1/events", event).await.expect(202);
        accepted["events"][0]["duplicate"].as_bool().unwrap()
    }

    /// All deliveries, newest first.
    pub(crate) async fn deliveries(&self) -> Vec<Value> {
        let listed = self.get("/v1/deliveries?limit=200").await.expect(200);
        listed["data"].as_array().unwrap().clone()
    }

    /// The only delivery, once it has this status.
    pub(crate) async fn delivery_with(&self, status: &str) -> Value {
        let id = eventually(&format!("a delivery that is {status}"), async || {
            let deliveries = self.deliveries().await;
            let found = deliveries.iter().find(|delivery| delivery["status"] == status);
            found.map(|delivery| delivery["id"].as_str().unwrap().to_owned())
        })
        .await;
        self.get(&format!("/v1/deliveries/{id}")).await.expect(200)
    }
}

fn merge(body: &mut Value, more: Value) {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
}
