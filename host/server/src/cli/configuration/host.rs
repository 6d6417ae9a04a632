//! The host that is configured, as its public API shows it.

use http::Method;
use serde_json::Value;

use crate::api::caller::NAMESPACE_HEADER;
use crate::cli::Failure;
use crate::cli::client::{Answer, Client, Request, http};

/// Most that are asked for in one page.
const PAGE: &str = "200";

/// A host, and for whom it is asked.
#[derive(clap::Args)]
pub(in crate::cli) struct HostArgs {
    #[command(flatten)]
    client: Client,
    /// The namespace of the endpoints and rules. A tenant's key has its own, and needs none
    /// here.
    #[arg(long, env = "ALERTS_NAMESPACE", value_name = "NAME")]
    namespace: Option<String>,
}

/// The same, ready to be asked.
pub(super) struct Host {
    client: Client,
    http: reqwest::Client,
    namespace: Option<String>,
}

/// The host has said no.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    /// Problem details, or null.
    problem: Value,
    text: String,
}

impl Refused {
    /// Each wrong field, with a pointer into what was sent.
    pub(super) fn errors<'a>(&'a self) -> Vec<(&'a str, &'a str)> {
        let errors = self.problem["errors"].as_array().into_iter().flatten();
        let text = |value: &'a Value| value.as_str().unwrap_or_default();
        errors.map(|error| (text(&error["pointer"]), text(&error["detail"]))).collect()
    }

    /// What is wrong, and what to change.
    pub(super) fn detail(&self) -> String {
        let detail = self.problem["detail"].as_str();
        detail.map_or_else(
            || format!("the host answered {}: {}", self.status, self.text),
            str::to_owned,
        )
    }
}

impl HostArgs {
    pub(super) fn host(self) -> Result<Host, Failure> {
        Ok(Host { client: self.client, http: http()?, namespace: self.namespace })
    }
}

impl Host {
    /// Sends a request; the body of a good answer.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> Result<Result<Value, Refused>, Failure> {
        let mut headers = Vec::new();
        headers.extend(self.namespace.as_deref().map(|name| (NAMESPACE_HEADER, name)));
        headers.extend(if_match.map(|tag| ("if-match", tag)));
        headers.extend(body.map(|_| ("content-type", "application/json")));
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request { method, path, query: &[], headers: &headers, body };
        Ok(read(self.client.send(&self.http, request).await?))
    }

    /// What is at a path.
    pub(super) async fn get(&self, path: &[&str]) -> Result<Result<Value, Refused>, Failure> {
        self.send(Method::GET, path, None, None).await
    }

    /// A whole list, page by page.
    pub(super) async fn list(&self, path: &[&str]) -> Result<Result<Vec<Value>, Refused>, Failure> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("limit", PAGE)];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let namespace = self.namespace.as_deref().map(|name| (NAMESPACE_HEADER, name));
            let headers: Vec<_> = namespace.into_iter().collect();
            let request = Request {
                method: Method::GET,
                path,
                query: &query,
                headers: &headers,
                body: Vec::new(),
            };
            let mut page = match read(self.client.send(&self.http, request).await?) {
                Ok(page) => page,
                Err(refused) => return Ok(Err(refused)),
            };
            if let Value::Array(items) = page["data"].take() {
                all.extend(items);
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(Ok(all));
            }
        }
    }
}

fn read(answer: Answer) -> Result<Value, Refused> {
    let Answer { status, body } = answer;
    let json = serde_json::from_str(&body).unwrap_or_default();
    match status.is_success() {
        true => Ok(json),
        false => Err(Refused { status: status.as_u16(), problem: json, text: body }),
    }
}
