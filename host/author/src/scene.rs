//! A delivery to one endpoint that exists only here: what a target is asked
//! about, and the egress rules that its requests meet.

use std::collections::BTreeMap;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::alert;
use alerts_domain::delivery::{Delivery, DeliveryStatus, attempt_seed};
use alerts_domain::endpoint::{EndpointSecrets, EndpointSpec, WebhookEndpoint, masked_url};
use alerts_domain::event::Event;
use alerts_domain::exchange::{Outcome, Request, TransportError};
use alerts_domain::header::Headers;
use alerts_domain::id::{DeliveryId, EndpointId, EventId, RuleId};
use alerts_domain::keyring::Sealed;
use alerts_domain::origin::Origin;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Deadlines, Egress, LiveEndpoint, target_endpoint};
use alerts_package::Manifest;
use alerts_sandbox::TargetDelivery;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::{AuthorError, sample};

/// Where alerts go when neither the author nor the manifest says: a name that
/// no resolver knows (RFC 2606).
const SAMPLE_URL: &str = "https://target.example/hooks/T000/B000/sample";
/// Signs; a sample as well.
const SIGNING: &str = "whsec_c2FtcGxlIHNpZ25pbmcga2V5ISE=";

/// What may differ from one scene to another.
pub(crate) struct Props {
    pub(crate) url: Option<String>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) headers: Headers,
    pub(crate) secrets: BTreeMap<String, Secret>,
    pub(crate) rules: AddressRules,
    pub(crate) now: Timestamp,
}

impl Default for Props {
    fn default() -> Self {
        Self {
            url: None,
            settings: Map::new(),
            headers: Headers::default(),
            secrets: BTreeMap::new(),
            rules: AddressRules::default(),
            now: sample_now(),
        }
    }
}

/// 2026-01-01T00:00:00Z, so that what is printed today is printed tomorrow.
pub(crate) fn sample_now() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// An endpoint, and the way out.
pub(crate) struct Scene {
    endpoint: LiveEndpoint,
    egress: Egress,
    granted: Vec<Origin>,
    delivery: Delivery,
    now: Timestamp,
}

impl Scene {
    pub(crate) fn set(manifest: &Manifest, props: Props) -> Result<Self, AuthorError> {
        let Props { url, settings, headers, secrets, rules, now } = props;
        let url = url.or_else(|| manifest.default_url.clone());
        let url = url.unwrap_or_else(|| SAMPLE_URL.to_owned());
        alerts_domain::target_url::check(&url, &rules).map_err(|error| {
            let detail = error.detail;
            AuthorError::Arguments(format!("{url}: {detail} (here: with --allow CIDR)"))
        })?;
        let tenant =
            TenantId::new(sample::TENANT).map_err(|error| AuthorError::Arguments(error.detail))?;
        let mut opened = EndpointSecrets {
            signing: Secret::new(SIGNING),
            previous_signing: None,
            url: None,
            named: secrets,
        };
        let mut target_url = url;
        if manifest.url_is_secret {
            let shown = masked_url(&target_url);
            opened.url = Some(Secret::new(std::mem::replace(&mut target_url, shown)));
        }
        let spec = EndpointSpec {
            name: "Sample".to_owned(),
            target_url,
            target: manifest.id.clone(),
            settings,
            headers,
            is_active: true,
            include_event_data: false,
            rate_limit: None,
            gone_after: EndpointSpec::DEFAULT_GONE_AFTER,
        };
        let stored = WebhookEndpoint {
            id: EndpointId::new(now, 1),
            tenant: tenant.clone(),
            spec,
            sealed_secrets: Sealed::from_stored(String::new()),
            version: 1,
            managed_by: None,
            created_by: "author".to_owned(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        let delivery = Delivery {
            id: DeliveryId::new(now, 1),
            tenant,
            event_id: EventId::new(now, 1),
            alert_rule_id: Some(RuleId::new(now, 1)),
            rule_name: "Any failed run".to_owned(),
            trigger: json!({"type": "event"}),
            webhook_endpoint_id: stored.id,
            status: DeliveryStatus::Leased,
            attempt_count: 0,
            next_attempt_at: None,
            last_error: None,
            redrive_of: None,
            created_at: now,
            finished_at: None,
        };
        Ok(Self {
            endpoint: LiveEndpoint::new(stored, opened),
            egress: Egress::new(rules, Deadlines::default())?,
            granted: manifest.hosts.iter().filter_map(|host| Origin::parse(host).ok()).collect(),
            delivery,
            now,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The delivery of a rule that has nothing special.
    pub(crate) fn any_delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// The delivery under another rule.
    pub(crate) fn of_rule(&self, id: Option<RuleId>, name: &str, trigger: Value) -> Delivery {
        Delivery { alert_rule_id: id, rule_name: name.to_owned(), trigger, ..self.delivery.clone() }
    }

    /// What the adapter is told about the first attempt to deliver this event.
    pub(crate) fn told(&self, event: &Value) -> Result<TargetDelivery, AuthorError> {
        self.told_of(&self.delivery, event, false)
    }

    /// The same for any delivery.
    pub(crate) fn told_of(
        &self,
        delivery: &Delivery,
        event: &Value,
        include_data: bool,
    ) -> Result<TargetDelivery, AuthorError> {
        let event = Event::from_structured(Bytes::from(event.to_string()));
        let event = event.map_err(AuthorError::Event)?;
        let alert = alert::build(delivery, &event.body, self.now, include_data, None)
            .map_err(|error| AuthorError::Arguments(format!("the event does not read: {error}")))?;
        let attempt = delivery.attempt_count + 1;
        Ok(TargetDelivery {
            id: delivery.id.to_string(),
            attempt,
            now_ms: u64::try_from(self.now.as_millisecond()).unwrap_or(0),
            seed: attempt_seed(delivery.id, attempt),
            alert,
            endpoint: target_endpoint(&self.endpoint),
        })
    }

    /// What would leave, with the values in place of the references; or the
    /// host's rule that forbids it.
    pub(crate) fn reveal(&self, request: &Request) -> Result<Request, TransportError> {
        let id = self.delivery.id.to_string();
        self.egress.reveal(request, &self.endpoint, &self.granted, &id, self.now)
    }

    /// Sends it, for real.
    pub(crate) async fn perform(&self, request: &Request) -> Outcome {
        let id = self.delivery.id.to_string();
        self.egress.perform(request, &self.endpoint, &self.granted, &id, self.now).await
    }

    /// Every reference that the adapter may write, by the name of its secret.
    pub(crate) fn references(&self) -> Vec<(String, String)> {
        target_endpoint(&self.endpoint).secrets
    }
}
