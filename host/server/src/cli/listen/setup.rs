//! The endpoint and the rule of a listener: made at its beginning, removed at its end. All
//! that it asks of the host's API.

use alerts_domain::secret::Secret;
use http::Method;
use serde_json::{Value, json};

use crate::api::caller::NAMESPACE_HEADER;
use crate::cli::Failure;
use crate::cli::client::{Client, Request};

/// What people see of both while the listener runs.
const NAME: &str = "exosphere-alerts listen";
/// A receiver that is being written answers 404 for a while: its rule stays on for as long as
/// an endpoint can ask for.
const GONE_AFTER: u32 = 100;

/// What is to be listened to.
pub(super) struct Wanted<'a> {
    pub(super) target_url: &'a str,
    pub(super) event_type: &'a str,
    pub(super) condition: Option<&'a str>,
    /// Made by the host when absent.
    pub(super) secret: Option<&'a Secret>,
}

/// What was made.
pub(super) struct Setup {
    endpoint: String,
    rule: Option<String>,
    /// By which what arrives is known.
    pub(super) secret: Secret,
}

impl Setup {
    /// Makes both, or neither.
    pub(super) async fn make(
        host: &Client,
        namespace: Option<&str>,
        wanted: &Wanted<'_>,
    ) -> Result<Self, Failure> {
        let mut endpoint = json!({"name": NAME, "target_url": wanted.target_url,
            "include_event_data": true, "gone_after": GONE_AFTER});
        if let Some(secret) = wanted.secret {
            endpoint["secret"] = secret.expose().into();
        }
        let made = ask(host, namespace, Method::POST, &["v1", "webhooks"], Some(&endpoint)).await;
        let made = made.map_err(|failure| advised(failure, wanted.target_url))?;
        let mut setup = Self {
            endpoint: text(&made, "id")?,
            rule: None,
            secret: Secret::new(text(&made, "secret")?),
        };
        let mut rule = json!({"name": NAME, "event_type": wanted.event_type,
            "webhook_endpoint_id": setup.endpoint});
        if let Some(condition) = wanted.condition {
            rule["condition"] = condition.into();
        }
        let path = ["v1", "alert-rules"];
        let made = ask(host, namespace, Method::POST, &path, Some(&rule)).await;
        match made.and_then(|made| text(&made, "id")) {
            Ok(id) => {
                setup.rule = Some(id);
                Ok(setup)
            }
            Err(failure) => {
                setup.remove(host, namespace).await?;
                Err(failure)
            }
        }
    }

    /// Removes both.
    pub(super) async fn remove(
        self,
        host: &Client,
        namespace: Option<&str>,
    ) -> Result<(), Failure> {
        let Self { endpoint, rule, .. } = self;
        let delete = async |kind: &str, id: &str| {
            let removed = ask(host, namespace, Method::DELETE, &["v1", kind, id], None).await;
            removed.map(drop).map_err(|failure| match failure {
                Failure::Other(why) => Failure::Other(format!("{id} is left behind: {why}")),
                other => other,
            })
        };
        let rule_is_gone = match &rule {
            Some(rule) => delete("alert-rules", rule).await,
            None => Ok(()),
        };
        // Without the endpoint nothing is sent, whatever became of the rule.
        delete("webhooks", &endpoint).await.and(rule_is_gone)
    }
}

async fn ask(
    host: &Client,
    namespace: Option<&str>,
    method: Method,
    path: &[&str],
    body: Option<&Value>,
) -> Result<Value, Failure> {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(namespace.map(|name| (NAMESPACE_HEADER, name)));
    let body = body.map(Value::to_string).unwrap_or_default().into();
    let answer = host.ask(Request { method, path, query: &[], headers: &headers, body }).await?;
    match answer.is_empty() {
        true => Ok(Value::Null),
        false => serde_json::from_str(&answer).map_err(Failure::other),
    }
}

fn text(answer: &Value, name: &str) -> Result<String, Failure> {
    let text = answer[name].as_str().map(str::to_owned);
    text.ok_or_else(|| Failure::Other(format!("the host's answer has no `{name}`; is it one?")))
}

/// With what to do where the host may not send to this address.
fn advised(failure: Failure, target_url: &str) -> Failure {
    match failure {
        Failure::Other(why) if why.contains("/target_url") => Failure::Other(format!(
            "{why}\nThe host may not send to {target_url}: start it with \
             ALERTS_ALLOW_TARGETS=127.0.0.0/8 if it runs on this machine, or give --public-url"
        )),
        other => other,
    }
}
