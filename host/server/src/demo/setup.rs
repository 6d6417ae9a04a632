//! Makes the demo company in a database, or finds it there from an earlier start.

use std::collections::BTreeMap;

use alerts_domain::api_key::KeyDigest;
use alerts_domain::condition::Condition;
use alerts_domain::endpoint::{EndpointSpec, WebhookEndpoint};
use alerts_domain::header::Headers;
use alerts_domain::id::EndpointId;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::rule::{EventTypePattern, RuleSpec};
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Actor, EndpointDraft, EndpointPatch, Engine, Expected};
use alerts_store::{EventFilter, Store};

use super::DemoError;
use super::company::{
    ANALYTICS, COMPANY, EndpointSample, KeySample, Namespace, RuleSample, TERMINAL_NAME,
};
use super::targets::LEDGER;
use crate::keys::{KeyRegistry, NewKey};

/// Who acts for the demo where none of the company's people do.
pub(super) const DEMO: &str = "demo";
/// Most endpoints of a namespace that are looked through for the demo's own.
const LOOK_THROUGH: u32 = 200;
/// Where nothing listens: the port of a service that no machine offers any more.
const NOBODY: &str = "http://127.0.0.1:9";

/// What there is of the company in a database.
pub(super) struct Company<'a> {
    pub(super) engine: &'a Engine,
    pub(super) keys: &'a KeyRegistry,
    /// The receivers' scheme, host and port.
    pub(super) receivers: &'a str,
    /// Signs what goes to the terminal.
    pub(super) secret: &'a Secret,
}

/// Makes the time pass between two things that people do.
pub(super) trait Pause {
    /// A while.
    async fn pause(&self);
}

impl Company<'_> {
    /// Makes each namespace that has no endpoint yet; has the endpoints of the others lead
    /// to this process's receivers.
    pub(super) async fn ensure(&self, people: &impl Pause) -> Result<(), DemoError> {
        for namespace in &COMPANY {
            let tenant = tenant(namespace.name)?;
            let known = self.engine.store().list_endpoints(&tenant, LOOK_THROUGH, None).await?;
            if known.items.is_empty() {
                self.make(namespace, tenant, people).await?;
            } else {
                self.lead_here(namespace, tenant, known.items).await?;
            }
        }
        Ok(())
    }

    async fn make(
        &self,
        namespace: &Namespace,
        tenant: TenantId,
        people: &impl Pause,
    ) -> Result<(), DemoError> {
        let mut actor = Actor { tenant, name: DEMO.to_owned() };
        for key in namespace.keys {
            let id = self.make_key(&actor, key).await?;
            // The first one is an administrator's, who does all the rest.
            if actor.name == DEMO {
                actor.name = id;
            }
            people.pause().await;
        }
        let mut made = BTreeMap::new();
        for sample in namespace.endpoints {
            let draft = self.draft(sample)?;
            let endpoint = self.engine.endpoints().create(&actor, draft).await?.endpoint;
            made.insert(sample.name, endpoint.id);
            people.pause().await;
        }
        for sample in namespace.rules {
            let endpoint = made.get(sample.endpoint).ok_or("a rule names no endpoint")?;
            self.engine.rules().create(&actor, spec(sample, *endpoint)?, None).await?;
            people.pause().await;
        }
        Ok(())
    }

    async fn make_key(&self, actor: &Actor, sample: &KeySample) -> Result<String, DemoError> {
        let new = NewKey {
            tenant: Some(actor.tenant.clone()),
            name: sample.name.to_owned(),
            role: sample.role,
            // Nobody is told it: these are keys to look at.
            secret: KeyDigest::generate_key(self.engine.entropy().bytes()),
            expires_at: None,
            created_by: actor.name.clone(),
        };
        Ok(self.keys.create(self.engine, new).await?.id.to_string())
    }

    fn draft(&self, sample: &EndpointSample) -> Result<EndpointDraft, DemoError> {
        let spec = EndpointSpec {
            name: sample.name.to_owned(),
            target_url: self.url(sample),
            target: sample.target.to_owned(),
            settings: serde_json::from_str(sample.settings)?,
            headers: Headers::default(),
            is_active: sample.is_active,
            include_event_data: false,
            rate_limit: sample.per_minute.map(RateLimit::per_minute),
            gone_after: EndpointSpec::DEFAULT_GONE_AFTER,
        };
        let secrets = sample.secret.map(|(name, value)| (name.to_owned(), Secret::new(value)));
        let signing_secret = (sample.name == TERMINAL_NAME).then(|| self.secret.clone());
        let secrets = secrets.into_iter().collect();
        Ok(EndpointDraft { spec, signing_secret, managed_by: None, secrets })
    }

    fn url(&self, sample: &EndpointSample) -> String {
        let base = if sample.path == LEDGER { NOBODY } else { self.receivers };
        format!("{base}{}", sample.path)
    }

    /// The receivers may listen on another port than at the last start, and the terminal
    /// has a secret of its own at each.
    async fn lead_here(
        &self,
        namespace: &Namespace,
        tenant: TenantId,
        known: Vec<WebhookEndpoint>,
    ) -> Result<(), DemoError> {
        let actor = Actor { tenant, name: DEMO.to_owned() };
        for endpoint in known {
            let sample = namespace.endpoints.iter().find(|one| one.name == endpoint.spec.name);
            let Some(sample) = sample else { continue };
            let url = self.url(sample);
            let is_elsewhere = port_of(&url) != port_of(&endpoint.spec.target_url);
            let patch = EndpointPatch {
                target_url: is_elsewhere.then_some(url),
                signing_secret: (sample.name == TERMINAL_NAME).then(|| self.secret.clone()),
                ..EndpointPatch::default()
            };
            if patch.target_url.is_some() || patch.signing_secret.is_some() {
                self.engine
                    .endpoints()
                    .update(&actor, endpoint.id, &Expected::Whatever, patch)
                    .await?;
            }
        }
        Ok(())
    }
}

fn spec(sample: &RuleSample, endpoint: EndpointId) -> Result<RuleSpec, DemoError> {
    let condition = sample.condition.map(|(language, source)| Condition {
        language: language.to_owned(),
        source: source.to_owned(),
    });
    Ok(RuleSpec {
        name: sample.name.to_owned(),
        event_type: EventTypePattern::new(sample.event_type).map_err(|error| error.detail)?,
        condition,
        webhook_endpoint_id: endpoint,
        trigger: serde_json::from_str(sample.trigger)?,
        retry_policy: serde_json::from_str(sample.retries)?,
        rate_limit: sample.per_minute.map(RateLimit::per_minute),
        is_active: true,
    })
}

/// The port that the receivers had at an earlier start.
pub(super) async fn earlier_port(store: &Store) -> Result<Option<u16>, DemoError> {
    let known = store.list_endpoints(&tenant(ANALYTICS)?, LOOK_THROUGH, None).await?;
    let terminal = known.items.iter().find(|endpoint| endpoint.spec.name == TERMINAL_NAME);
    Ok(terminal.and_then(|endpoint| port_of(&endpoint.spec.target_url)))
}

fn port_of(url: &str) -> Option<u16> {
    url::Url::parse(url).ok()?.port()
}

pub(super) fn tenant(name: &str) -> Result<TenantId, DemoError> {
    TenantId::new(name).map_err(|error| error.detail.into())
}

/// Whether the company has had a past already.
pub(super) async fn has_past(store: &Store) -> Result<bool, DemoError> {
    let filter = EventFilter::default();
    Ok(!store.list_events(&tenant(ANALYTICS)?, &filter, 1, None).await?.items.is_empty())
}
