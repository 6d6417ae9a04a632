//! One tenant's rules and endpoints at one revision.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::rule::EventTypePattern;

use crate::live::{LiveEndpoint, LiveRule, RateLimits};

/// What a tenant, an endpoint and a rule take in memory besides their texts, about.
const TENANT_BYTES: usize = 512;
const ENDPOINT_BYTES: usize = 1024;
const RULE_BYTES: usize = 1024;

/// One tenant's rules and endpoints at one revision.
#[derive(Debug)]
pub(crate) struct TenantCatalog {
    pub(super) revision: i64,
    /// What it takes in memory, about.
    pub(super) weight_bytes: usize,
    /// Whether alerts are open to the tenant.
    is_open: bool,
    /// Its own limit, or else that of every tenant.
    rate_limit: Option<RateLimit>,
    endpoints: HashMap<EndpointId, Arc<LiveEndpoint>>,
    rules: HashMap<RuleId, Arc<LiveRule>>,
    by_type: HashMap<String, Vec<Arc<LiveRule>>>,
    by_pattern: Vec<Arc<LiveRule>>,
}

impl TenantCatalog {
    /// One with nothing in it yet.
    pub(super) fn new(revision: i64, is_open: bool, rate_limit: Option<RateLimit>) -> Self {
        Self {
            revision,
            weight_bytes: TENANT_BYTES,
            is_open,
            rate_limit,
            endpoints: HashMap::new(),
            rules: HashMap::new(),
            by_type: HashMap::new(),
            by_pattern: Vec::new(),
        }
    }

    pub(super) fn add_endpoint(&mut self, endpoint: LiveEndpoint) {
        self.weight_bytes += ENDPOINT_BYTES + endpoint.content_bytes();
        self.endpoints.insert(endpoint.stored().id, Arc::new(endpoint));
    }

    pub(super) fn add_rule(&mut self, rule: LiveRule) {
        let rule = Arc::new(rule);
        self.weight_bytes += RULE_BYTES + rule.content_bytes();
        if !rule.is_asked() {
            // Its deliveries still need its retry policy.
        } else if rule.patterns().iter().all(EventTypePattern::is_exact) {
            let types: BTreeSet<&str> =
                rule.patterns().iter().map(EventTypePattern::as_str).collect();
            for event_type in types {
                let of_type = self.by_type.entry(event_type.to_owned()).or_default();
                of_type.push(rule.clone());
            }
        } else {
            self.by_pattern.push(rule.clone());
        }
        self.rules.insert(rule.stored.id, rule);
    }

    /// Whether alerts are open to the tenant.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
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

    /// The limits that bind what a rule sends to an endpoint; a test has no rule.
    pub(crate) fn limits(&self, endpoint: EndpointId, rule: Option<RuleId>) -> RateLimits {
        let (endpoint, rule) = (self.endpoint(endpoint), rule.and_then(|rule| self.rule(rule)));
        RateLimits {
            tenant: self.rate_limit,
            endpoint: endpoint.and_then(|endpoint| endpoint.stored().spec.rate_limit),
            rule: rule.and_then(|rule| rule.stored.spec.rate_limit),
        }
    }
}
