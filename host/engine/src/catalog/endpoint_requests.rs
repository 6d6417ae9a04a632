//! An endpoint as a person asks for it, and as it is answered once it is made.

use std::collections::BTreeMap;

use alerts_domain::endpoint::{EndpointSpec, WebhookEndpoint};
use alerts_domain::header::Headers;
use alerts_domain::label::Label;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::secret::Secret;
use serde_json::{Map, Value};

/// A new endpoint as a tenant asks for it.
#[derive(Debug, Clone)]
pub struct EndpointDraft {
    /// What the tenant decides, secrets aside.
    pub spec: EndpointSpec,
    /// The signing secret; made when absent.
    pub signing_secret: Option<Secret>,
    /// Which configuration makes it, if one does.
    pub managed_by: Option<Label>,
    /// The adapter's secrets, by name.
    pub secrets: BTreeMap<String, Secret>,
}

/// A change of an endpoint; what is absent stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field changes the one of the same name in `EndpointSpec`")]
pub struct EndpointPatch {
    pub name: Option<String>,
    pub target_url: Option<String>,
    pub target: Option<String>,
    pub settings: Option<Map<String, Value>>,
    pub headers: Option<Headers>,
    pub is_active: Option<bool>,
    pub include_event_data: Option<bool>,
    /// `Some(None)` takes the limit away.
    pub rate_limit: Option<Option<RateLimit>>,
    pub gone_after: Option<u32>,
    /// Replaces the signing secret at once, without a grace period.
    pub signing_secret: Option<Secret>,
    /// Sets secrets by name; `None` takes one away.
    pub secrets: BTreeMap<String, Option<Secret>>,
}

/// An endpoint just made.
#[derive(Debug)]
pub struct CreatedEndpoint {
    /// As stored.
    pub endpoint: WebhookEndpoint,
    /// The signing secret, to be shown this once.
    pub signing_secret: Secret,
}
