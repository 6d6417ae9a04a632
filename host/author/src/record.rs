//! What a host keeps of a delivery: the attempts, and all that they were made
//! of. Asks the host's API for it; what to make of it is `replay`'s.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::alert;
use alerts_domain::delivery::{Delivery, DeliveryStatus};
use alerts_domain::exchange::Exchange;
use alerts_domain::id::{DeliveryId, EndpointId, EventId, RuleId};
use alerts_domain::run_url::LinkTemplate;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::AuthorError;

/// Longest wait for an answer of the API.
const DEADLINE: Duration = Duration::from_secs(30);

/// The host that is asked, and as whom.
#[derive(Debug, clap::Args)]
pub(crate) struct Host {
    /// Where the host is.
    #[arg(long, env = "ALERTS_URL", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    api: String,
    /// A key that may view. Better given by environment: flags show in the list of processes.
    #[arg(long, env = "ALERTS_KEY", value_name = "KEY", hide_env_values = true)]
    key: Secret,
    /// Whose delivery it is.
    #[arg(long, env = "ALERTS_NAMESPACE", value_name = "NAME")]
    namespace: String,
    /// The host's own ALERTS_LINK_TEMPLATE, if it has one: its alerts carry the links.
    #[arg(
        long,
        env = "ALERTS_LINK_TEMPLATE",
        value_name = "URL",
        value_parser = LinkTemplate::parse
    )]
    link_template: Option<LinkTemplate>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StoredDelivery {
    pub(crate) event_id: EventId,
    pub(crate) alert_rule_id: Option<RuleId>,
    pub(crate) webhook_endpoint_id: EndpointId,
    /// As it was when the rule fired.
    #[serde(default)]
    pub(crate) rule_name: Option<String>,
    #[serde(default)]
    pub(crate) trigger: Option<Value>,
    pub(crate) created_at: Timestamp,
    #[serde(default)]
    pub(crate) attempts: Vec<StoredAttempt>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StoredAttempt {
    pub(crate) number: u32,
    pub(crate) started_at: Timestamp,
    pub(crate) duration_ms: u64,
    pub(crate) verdict: String,
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) note: Option<String>,
    pub(crate) plugin_digest: String,
    pub(crate) endpoint_version: i64,
    pub(crate) exchanges: Vec<Exchange>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StoredEndpoint {
    pub(crate) target_url: String,
    pub(crate) target: String,
    #[serde(default)]
    pub(crate) headers: std::collections::BTreeMap<String, String>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) include_event_data: bool,
    pub(crate) version: i64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StoredEvent {
    pub(crate) event: Box<RawValue>,
    pub(crate) received_at: Timestamp,
}

/// Everything that the attempts were made of.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: DeliveryId,
    pub(crate) delivery: StoredDelivery,
    pub(crate) endpoint: StoredEndpoint,
    pub(crate) alert: Bytes,
}

impl Host {
    /// Asks the host for a delivery and for all that it was made of.
    pub(crate) async fn record_of(&self, id: DeliveryId) -> Result<Record, AuthorError> {
        // Another part of the process may have chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(DEADLINE).build();
        let client = client.map_err(|error| AuthorError::Api {
            url: self.api.clone(),
            detail: error.to_string(),
        })?;
        let delivery: StoredDelivery = self.get(&client, &format!("deliveries/{}", id)).await?;
        let endpoint: StoredEndpoint =
            self.get(&client, &format!("webhooks/{}", delivery.webhook_endpoint_id)).await?;
        let event: StoredEvent =
            self.get(&client, &format!("events/{}", delivery.event_id)).await?;
        let tenant =
            TenantId::new(&self.namespace).map_err(|error| AuthorError::Arguments(error.detail))?;
        let stored = Delivery {
            id,
            tenant,
            event_id: delivery.event_id,
            alert_rule_id: delivery.alert_rule_id,
            rule_name: delivery.rule_name.clone().unwrap_or_default(),
            trigger: delivery.trigger.clone().unwrap_or_else(|| json!({"type": "event"})),
            webhook_endpoint_id: delivery.webhook_endpoint_id,
            status: DeliveryStatus::Leased,
            attempt_count: 0,
            next_attempt_at: None,
            last_error: None,
            redrive_of: None,
            created_at: delivery.created_at,
            finished_at: None,
        };
        let body = event.event.get().as_bytes();
        let (include_data, link) = (endpoint.include_event_data, self.link_template.as_ref());
        let alert = alert::build(&stored, body, event.received_at, include_data, link);
        let alert = alert.map_err(|error| AuthorError::Api {
            url: self.api.clone(),
            detail: format!("the stored event does not read: {error}"),
        })?;
        Ok(Record { id, delivery, endpoint, alert })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        client: &reqwest::Client,
        path: &str,
    ) -> Result<T, AuthorError> {
        let url = format!("{}/v1/{path}", self.api.trim_end_matches('/'));
        let failed = |detail: String| AuthorError::Api { url: url.clone(), detail };
        let answer = client
            .get(&url)
            .header("x-api-key", self.key.expose())
            .header("x-exosphere-namespace", &self.namespace)
            .send()
            .await
            .map_err(|error| failed(format!("no answer: {error}; is the host running there? `--api` or ALERTS_URL says where it is")))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| failed(error.to_string()))?;
        if !status.is_success() {
            return Err(failed(format!("the host answered {status}: {text}")));
        }
        serde_json::from_str(&text).map_err(|error| {
            failed(format!("the answer is not that of this version's API: {error}"))
        })
    }
}
