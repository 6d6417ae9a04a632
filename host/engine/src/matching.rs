//! Matching: which of a tenant's rules fire for an event, and why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerts_domain::condition::Condition;
use alerts_domain::event::Event;
use alerts_domain::id::RuleId;
use alerts_domain::tenant::TenantId;
use alerts_package::Kind;
use alerts_sandbox::Sandbox;
use alerts_store::Store;
use serde::Serialize;

use crate::catalog::{LiveRule, TenantCatalog};
use crate::plugins::Plugins;

/// What became of one rule for one event. Stored with the event and shown to
/// the tenant who asks why an alert came, or why not.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RuleOutcome {
    pub(crate) alert_rule_id: RuleId,
    pub(crate) fired: bool,
    pub(crate) reason: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

/// Why a rule fired or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// It fired, and a delivery was made.
    Fired,
    /// Its condition said no.
    ConditionFalse,
    /// Its condition could not be evaluated on this event.
    ConditionError,
    /// It matched, but its endpoint is switched off: a skipped delivery.
    EndpointOff,
    /// It matched, but its endpoint was deleted.
    EndpointDeleted,
    /// Its condition plugin could not answer; it will be asked again.
    Pending,
}

/// All rules for one event.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    /// One for each rule that looks at the event.
    pub(crate) outcomes: Vec<RuleOutcome>,
    /// The rules that fired or would have, with an endpoint that still exists.
    pub(crate) fired: Vec<Arc<LiveRule>>,
}

impl Matches {
    pub(crate) fn pending(&self) -> Vec<RuleId> {
        let pending = self.outcomes.iter().filter(|outcome| outcome.reason == Reason::Pending);
        pending.map(|outcome| outcome.alert_rule_id).collect()
    }
}

/// Asks the condition plugins.
#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    pub(crate) sandbox: Sandbox,
    pub(crate) plugins: Plugins,
    pub(crate) store: Store,
}

impl Matcher {
    /// Matches `rules` against an event: one sandbox call for each language.
    pub(crate) async fn matches(
        &self,
        tenant: &TenantId,
        catalog: &TenantCatalog,
        event: &Event,
        rules: impl Iterator<Item = &Arc<LiveRule>>,
    ) -> Matches {
        let mut matches = Matches::default();
        let mut by_language: BTreeMap<&str, Vec<&Arc<LiveRule>>> = BTreeMap::new();
        for rule in rules {
            match &rule.stored.spec.condition {
                None => conclude(&mut matches, catalog, rule, Ok(true)),
                Some(Condition { language, .. }) => {
                    by_language.entry(language).or_default().push(rule);
                }
            }
        }
        for (language, rules) in by_language {
            match self.evaluate(tenant, language, &rules, event).await {
                Ok(verdicts) => {
                    for (rule, verdict) in rules.into_iter().zip(verdicts) {
                        if let Err(error) = &verdict {
                            self.note_condition_error(tenant, rule, error);
                        }
                        conclude(&mut matches, catalog, rule, verdict);
                    }
                }
                Err(why) => {
                    metrics::counter!("alerts_matches_deferred_total").increment(1);
                    let outcomes = rules.into_iter().map(|rule| RuleOutcome {
                        alert_rule_id: rule.stored.id,
                        fired: false,
                        reason: Reason::Pending,
                        detail: Some(why.clone()),
                    });
                    matches.outcomes.extend(outcomes);
                }
            }
        }
        matches
    }

    /// A verdict for each rule, or why the language cannot answer now.
    async fn evaluate(
        &self,
        tenant: &TenantId,
        language: &str,
        rules: &[&Arc<LiveRule>],
        event: &Event,
    ) -> Result<Vec<Result<bool, String>>, String> {
        let plugin = self
            .plugins
            .get(Kind::Condition, language)
            .ok_or_else(|| format!("the condition language `{language}` is not loaded"))?;
        if !self.plugins.is_open_to(language, tenant) {
            let why = format!("the condition language `{language}` was closed to this namespace");
            return Ok(rules.iter().map(|_| Err(why.clone())).collect());
        }
        let sources: Arc<[Arc<str>]> =
            rules.iter().filter_map(|rule| rule.source.clone()).collect();
        let verdicts = self
            .sandbox
            .evaluate(&plugin, tenant, sources, event.body.clone())
            .await
            .map_err(|error| error.to_string())?;
        Ok(verdicts.into_iter().map(|v| v.map_err(|error| error.to_string())).collect())
    }

    /// Shows the error on the rule. Off the hot path, and only when it is news.
    fn note_condition_error(&self, tenant: &TenantId, rule: &Arc<LiveRule>, error: &str) {
        metrics::counter!("alerts_condition_errors_total").increment(1);
        if rule.stored.last_condition_error.as_deref() == Some(error) {
            return;
        }
        let (store, tenant, id, error) =
            (self.store.clone(), tenant.clone(), rule.stored.id, error.to_owned());
        tokio::spawn(async move {
            if let Err(failed) = store.record_condition_error(&tenant, id, &error).await {
                tracing::warn!(%tenant, rule = %id, %failed, "condition error not recorded");
            }
        });
    }
}

fn conclude(
    matches: &mut Matches,
    catalog: &TenantCatalog,
    rule: &Arc<LiveRule>,
    verdict: Result<bool, String>,
) {
    let endpoint = catalog.endpoint(rule.stored.spec.webhook_endpoint_id);
    let (reason, detail) = match (verdict, endpoint) {
        (Err(error), _) => (Reason::ConditionError, Some(error)),
        (Ok(false), _) => (Reason::ConditionFalse, None),
        (Ok(true), None) => (Reason::EndpointDeleted, None),
        (Ok(true), Some(endpoint)) => {
            matches.fired.push(rule.clone());
            let active = endpoint.stored().spec.is_active;
            (if active { Reason::Fired } else { Reason::EndpointOff }, None)
        }
    };
    matches.outcomes.push(RuleOutcome {
        alert_rule_id: rule.stored.id,
        fired: reason == Reason::Fired,
        reason,
        detail,
    });
}
