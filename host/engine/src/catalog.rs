//! Each tenant's rules and endpoints in memory, so that an event is matched
//! without asking the database.
//!
//! Loaded whole when a tenant is first seen, dropped when the tenant changes
//! anything, and checked against the database's revision numbers for changes
//! made by other hosts.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use alerts_domain::endpoint::{EndpointSecrets, WebhookEndpoint, split_url};
use alerts_domain::header::Headers;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::keyring::Keyring;
use alerts_domain::rule::{AlertRule, EventTypePattern};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::Trigger;
use alerts_store::{Store, TenantMark};
use bytes::Bytes;
use url::Url;

use crate::error::EngineError;
use crate::secrets::References;

/// An endpoint with its secrets opened, ready to send to.
#[derive(Debug)]
pub struct LiveEndpoint {
    stored: WebhookEndpoint,
    secrets: EndpointSecrets,
    /// What stands for the secrets.
    references: References,
    /// What the adapter sees of the target URL.
    url: String,
    /// The same, read; none when it cannot be.
    parsed_url: Option<Url>,
    settings: Bytes,
}

impl LiveEndpoint {
    /// Joins an endpoint with its opened secrets.
    pub fn new(stored: WebhookEndpoint, secrets: EndpointSecrets) -> Self {
        let references = References::to(&secrets);
        let url = match (&secrets.url, references.url_part()) {
            (Some(secret), Some(part)) => format!("{}{part}", split_url(secret.expose()).0),
            _ => stored.spec.target_url.clone(),
        };
        let parsed_url = Url::parse(&url).ok();
        let settings =
            Bytes::from(serde_json::Value::from(stored.spec.settings.clone()).to_string());
        Self { stored, secrets, references, url, parsed_url, settings }
    }

    /// As stored.
    pub fn stored(&self) -> &WebhookEndpoint {
        &self.stored
    }

    /// The settings as JSON text, for the adapter.
    pub fn settings(&self) -> &Bytes {
        &self.settings
    }

    pub(crate) fn secrets(&self) -> &EndpointSecrets {
        &self.secrets
    }

    /// The target URL as the adapter sees it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn references(&self) -> &References {
        &self.references
    }

    /// The target URL as the adapter sees it, read; none when it cannot be.
    pub(crate) fn parsed_url(&self) -> Option<&Url> {
        self.parsed_url.as_ref()
    }

    /// Name and reference of each named secret, as the adapter sees them.
    pub(crate) fn secret_references(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.secrets.named.keys().map(String::as_str);
        names.zip(self.references.named())
    }

    /// The tenant's extra headers.
    pub(crate) fn headers(&self) -> &Headers {
        &self.stored.spec.headers
    }
}

/// A rule that looks at events.
#[derive(Debug)]
pub struct LiveRule {
    /// As stored.
    pub stored: AlertRule,
    /// The condition's source, shared with the sandbox's program cache.
    pub(crate) source: Option<Arc<str>>,
    /// The types of events that it looks at.
    looks_at: Vec<EventTypePattern>,
}

impl LiveRule {
    /// Makes a stored rule ready to be asked.
    pub fn new(stored: AlertRule) -> Self {
        let source = stored.spec.condition.as_ref().map(|c| Arc::from(c.source.as_str()));
        let looks_at = stored.spec.trigger.looks_at(&stored.spec.event_type);
        Self { stored, source, looks_at }
    }

    /// The types of events that it looks at.
    pub(crate) fn patterns(&self) -> &[EventTypePattern] {
        &self.looks_at
    }

    /// Whether it looks at events of this type.
    pub(crate) fn looks_at(&self, event_type: &str) -> bool {
        self.looks_at.iter().any(|pattern| pattern.matches(event_type))
    }

    /// Whether it is asked about events: it is on, or watches runs, of whose end
    /// it must know even while it is off.
    fn is_asked(&self) -> bool {
        self.stored.spec.is_active || matches!(self.stored.spec.trigger, Trigger::Duration(_))
    }
}

/// One tenant's rules and endpoints at one revision.
#[derive(Debug)]
pub(crate) struct TenantCatalog {
    revision: i64,
    endpoints: HashMap<EndpointId, Arc<LiveEndpoint>>,
    rules: HashMap<RuleId, Arc<LiveRule>>,
    by_type: HashMap<String, Vec<Arc<LiveRule>>>,
    by_pattern: Vec<Arc<LiveRule>>,
    mark: TenantMark,
}

impl TenantCatalog {
    /// What the operator decided about the tenant.
    pub(crate) fn mark(&self) -> TenantMark {
        self.mark
    }

    pub(crate) fn endpoint(&self, id: EndpointId) -> Option<&Arc<LiveEndpoint>> {
        self.endpoints.get(&id)
    }

    pub(crate) fn rule(&self, id: RuleId) -> Option<&Arc<LiveRule>> {
        self.rules.get(&id)
    }

    /// The rules that look at events of this type.
    pub(crate) fn rules_for(&self, event_type: &str) -> impl Iterator<Item = &Arc<LiveRule>> {
        let exact = self.by_type.get(event_type).into_iter().flatten();
        let globs = self.by_pattern.iter();
        exact.chain(globs.filter(move |rule| rule.looks_at(event_type)))
    }
}

/// All tenants seen so far.
#[derive(Debug)]
pub(crate) struct Catalog {
    store: Store,
    keyring: Keyring,
    tenants: Mutex<HashMap<TenantId, Arc<TenantCatalog>>>,
    /// One load at a time: a burst of events for a new tenant reads it once.
    loading: tokio::sync::Mutex<()>,
}

impl Catalog {
    pub(crate) fn new(store: Store, keyring: Keyring) -> Self {
        Self { store, keyring, tenants: Mutex::default(), loading: tokio::sync::Mutex::default() }
    }

    fn tenants(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, Arc<TenantCatalog>>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant's catalog, if it is in memory.
    pub(crate) fn peek(&self, tenant: &TenantId) -> Option<Arc<TenantCatalog>> {
        self.tenants().get(tenant).cloned()
    }

    /// The tenant's catalog, loaded if need be.
    pub(crate) async fn get(&self, tenant: &TenantId) -> Result<Arc<TenantCatalog>, EngineError> {
        if let Some(known) = self.peek(tenant) {
            return Ok(known);
        }
        let _turn = self.loading.lock().await;
        if let Some(known) = self.peek(tenant) {
            return Ok(known);
        }
        let loaded = Arc::new(self.load(tenant).await?);
        self.tenants().insert(tenant.clone(), loaded.clone());
        Ok(loaded)
    }

    /// Reads the tenant's catalog anew, after a change that is committed.
    /// Readers see the new one from the moment this returns.
    pub(crate) async fn refresh(&self, tenant: &TenantId) {
        let _turn = self.loading.lock().await;
        match self.load(tenant).await {
            Ok(loaded) => {
                self.tenants().insert(tenant.clone(), Arc::new(loaded));
            }
            Err(error) => {
                // The next reader tries again, and tells its caller if it fails too.
                tracing::warn!(%tenant, %error, "the tenant's rules could not be read again");
                self.tenants().remove(tenant);
            }
        }
    }

    /// Reads anew what other hosts have changed.
    pub(crate) async fn follow(&self) -> Result<(), EngineError> {
        let stale: Vec<TenantId> = {
            let revisions = self.store.revisions().await?;
            let tenants = self.tenants();
            let changed = |(tenant, revision): &(TenantId, i64)| {
                tenants.get(tenant).is_some_and(|known| known.revision < *revision)
            };
            revisions.into_iter().filter(changed).map(|(tenant, _)| tenant).collect()
        };
        for tenant in stale {
            self.refresh(&tenant).await;
        }
        Ok(())
    }

    async fn load(&self, tenant: &TenantId) -> Result<TenantCatalog, EngineError> {
        let active = self.store.active_tenant(tenant).await?;
        let mut endpoints = HashMap::new();
        for stored in active.endpoints {
            match self.open(stored) {
                Ok(endpoint) => {
                    endpoints.insert(endpoint.stored.id, Arc::new(endpoint));
                }
                // One endpoint whose key is lost must not stop the others.
                Err(error) => tracing::error!(%tenant, %error, "endpoint left out"),
            }
        }
        let mut catalog = TenantCatalog {
            revision: active.revision,
            endpoints,
            rules: HashMap::new(),
            by_type: HashMap::new(),
            by_pattern: Vec::new(),
            mark: active.mark,
        };
        for stored in active.rules {
            let rule = Arc::new(LiveRule::new(stored));
            if !rule.is_asked() {
                // Its deliveries still need its retry policy.
            } else if rule.looks_at.iter().all(EventTypePattern::is_exact) {
                let types: BTreeSet<&str> =
                    rule.looks_at.iter().map(EventTypePattern::as_str).collect();
                for event_type in types {
                    let of_type = catalog.by_type.entry(event_type.to_owned()).or_default();
                    of_type.push(rule.clone());
                }
            } else {
                catalog.by_pattern.push(rule.clone());
            }
            catalog.rules.insert(rule.stored.id, rule);
        }
        Ok(catalog)
    }

    /// Opens an endpoint's secrets.
    pub(crate) fn open(&self, stored: WebhookEndpoint) -> Result<LiveEndpoint, EngineError> {
        let place = EndpointSecrets::associated_data(&stored.tenant, stored.id);
        let damaged = |source| EngineError::Secrets { endpoint: stored.id, source };
        let plain = self.keyring.open(&stored.sealed_secrets, &place).map_err(damaged)?;
        let secrets = serde_json::from_slice(&plain)
            .map_err(|_| damaged(alerts_domain::keyring::OpenError::Damaged))?;
        Ok(LiveEndpoint::new(stored, secrets))
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }
}
