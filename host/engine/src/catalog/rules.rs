//! Making and changing alert rules: the condition must compile, the endpoint
//! must be the tenant's own.

use std::sync::Arc;

use alerts_domain::condition::Condition;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::label::Label;
use alerts_domain::problem::FieldError;
use alerts_domain::quota::Quotas;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::retry::RetryPolicy;
use alerts_domain::rule::{AlertRule, EventTypePattern, RuleSpec};
use alerts_domain::trigger::Trigger;
use alerts_package::Kind;
use alerts_sandbox::Sandbox;
use alerts_store::{Store, TriggerChange};
use serde_json::{Value, json};

use super::audited;
use super::cache::Catalog;
use super::expected::Expected;
use super::name;
use super::patch::set;
use crate::actor::Actor;
use crate::changes;
use crate::clock::Clock;
use crate::diagnostics::in_source;
use crate::entropy::Entropy;
use crate::error::{ChangeError, EngineError};
use crate::plugins::Plugins;
use crate::wakes::Wakes;

/// A new rule as a tenant asks for it.
pub type RuleDraft = RuleSpec;

/// A change of a rule; what is absent stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each field changes the one of the same name in `RuleSpec`")]
pub struct RulePatch {
    pub name: Option<String>,
    pub event_type: Option<EventTypePattern>,
    /// `Some(None)` takes the condition away.
    pub condition: Option<Option<Condition>>,
    pub webhook_endpoint_id: Option<EndpointId>,
    pub trigger: Option<Trigger>,
    pub retry_policy: Option<RetryPolicy>,
    /// `Some(None)` takes the limit away.
    pub rate_limit: Option<Option<RateLimit>>,
    /// Switching it on forgets why the host switched it off.
    pub is_active: Option<bool>,
}

/// The rules of all tenants, as people change them.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct Rules {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) plugins: Plugins,
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    pub(crate) wakes: Wakes,
    pub(crate) quotas: Quotas,
}

impl Rules {
    /// Makes a rule. `managed_by` says which configuration does, if one does.
    pub async fn create(
        &self,
        actor: &Actor,
        spec: RuleDraft,
        managed_by: Option<Label>,
    ) -> Result<AlertRule, ChangeError> {
        self.check(actor, &spec).await?;
        let now = self.clock.now();
        let rule = AlertRule {
            id: self.entropy.id(now, RuleId::new),
            tenant: actor.tenant.clone(),
            spec,
            disabled_reason: None,
            last_condition_error: None,
            managed_by,
            created_by: actor.name.clone(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        let detail = changes::made(audited::of_rule(&rule.spec));
        let entry = actor.does("alert_rule.created", rule.id, detail);
        self.store.create_rule(&rule, &self.quotas, &entry, now).await?;
        self.catalog.refresh(&actor.tenant).await;
        Ok(rule)
    }

    /// Changes a rule, if it is the version that is expected.
    pub async fn update(
        &self,
        actor: &Actor,
        id: RuleId,
        expected: &Expected,
        patch: RulePatch,
    ) -> Result<AlertRule, ChangeError> {
        let Changed { mut rule, trigger, detail } =
            self.changed(actor, id, expected, patch).await?;
        let now = self.clock.now();
        let read = rule.updated_at;
        // Two changes within one microsecond must still differ, or the second
        // would not see the first.
        rule.updated_at = now.max(read + jiff::SignedDuration::from_micros(1));
        let entry = actor.does("alert_rule.updated", id, detail);
        let written = self.store.update_rule(&rule, read, trigger, &entry, now).await?;
        self.catalog.refresh(&actor.tenant).await;
        self.wakes.timers.notify_one();
        if !written {
            return Err(expected.overtaken(format_args!("rule {id}")));
        }
        Ok(rule)
    }

    /// The names of the fields that a change would make different, or what keeps it from
    /// being made.
    pub async fn check_change(
        &self,
        actor: &Actor,
        id: RuleId,
        patch: RulePatch,
    ) -> Result<Vec<String>, ChangeError> {
        let changed = self.changed(actor, id, &Expected::Whatever, patch).await?;
        Ok(changes::names(&changed.detail))
    }

    /// A rule as it would be with a change, if it is the version that is expected.
    async fn changed(
        &self,
        actor: &Actor,
        id: RuleId,
        expected: &Expected,
        patch: RulePatch,
    ) -> Result<Changed, ChangeError> {
        let mut rule = self.stored(actor, id).await?;
        expected.require(rule.version())?;
        let before = audited::of_rule(&rule.spec);
        // What stays as it is may have lost its endpoint or its language since. That
        // must not keep anybody from switching the rule off.
        let is_on = patch.is_active == Some(true);
        let names_endpoint = is_on || patch.webhook_endpoint_id.is_some();
        let names_condition = is_on || patch.condition.is_some();
        let spec = &mut rule.spec;
        set(&mut spec.name, patch.name);
        set(&mut spec.event_type, patch.event_type);
        let (had, had_trigger) = (spec.condition.clone(), spec.trigger.clone());
        set(&mut spec.condition, patch.condition);
        set(&mut spec.webhook_endpoint_id, patch.webhook_endpoint_id);
        set(&mut spec.trigger, patch.trigger);
        set(&mut spec.retry_policy, patch.retry_policy);
        set(&mut spec.rate_limit, patch.rate_limit);
        set(&mut spec.is_active, patch.is_active);
        if rule.spec.is_active {
            rule.disabled_reason = None;
        }
        if rule.spec.condition != had {
            rule.last_condition_error = None;
        }
        let mut problems = field_problems(&rule.spec);
        if names_endpoint {
            problems.extend(self.endpoint_problem(actor, rule.spec.webhook_endpoint_id).await?);
        }
        if names_condition && let Some(condition) = &rule.spec.condition {
            problems.extend(self.condition_problems(actor, condition).await?);
        }
        refuse(problems)?;
        let detail = changes::between(&before, &audited::of_rule(&rule.spec), &[]);
        let trigger = trigger_change(&had_trigger, &rule.spec.trigger);
        Ok(Changed { rule, trigger, detail })
    }

    /// Deletes a rule, softly, if it is the version that is expected. Its deliveries go on.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: RuleId,
        expected: &Expected,
    ) -> Result<(), ChangeError> {
        let rule = self.stored(actor, id).await?;
        expected.require(rule.version())?;
        let read = match expected {
            Expected::Whatever => None,
            Expected::OneOf(_) => Some(rule.updated_at),
        };
        let now = self.clock.now();
        let entry = actor.does("alert_rule.deleted", id, json!({"name": rule.spec.name}));
        let deleted = self.store.delete_rule(&actor.tenant, id, read, &entry, now).await?;
        self.catalog.refresh(&actor.tenant).await;
        match read {
            _ if deleted => Ok(()),
            Some(_) => Err(ChangeError::Stale),
            None => Err(ChangeError::NotFound("alert rule")),
        }
    }

    async fn stored(&self, actor: &Actor, id: RuleId) -> Result<AlertRule, ChangeError> {
        let stored = self.store.get_rule(&actor.tenant, id).await?;
        let stored = stored.filter(|rule| rule.deleted_at.is_none());
        stored.ok_or(ChangeError::NotFound("alert rule"))
    }

    /// What keeps a rule from being made.
    pub async fn check(&self, actor: &Actor, spec: &RuleSpec) -> Result<(), ChangeError> {
        let mut problems = field_problems(spec);
        problems.extend(self.endpoint_problem(actor, spec.webhook_endpoint_id).await?);
        if let Some(condition) = &spec.condition {
            problems.extend(self.condition_problems(actor, condition).await?);
        }
        refuse(problems)
    }

    async fn endpoint_problem(
        &self,
        actor: &Actor,
        id: EndpointId,
    ) -> Result<Option<FieldError>, ChangeError> {
        let endpoint = self.store.get_endpoint(&actor.tenant, id).await?;
        let detail = match endpoint {
            Some(endpoint) if endpoint.deleted_at.is_none() => return Ok(None),
            Some(_) => format!("the webhook endpoint {id} was deleted; name another one"),
            None => format!("there is no webhook endpoint {id}"),
        };
        Ok(Some(FieldError::new("/webhook_endpoint_id", detail)))
    }

    /// Why a condition cannot be used, with the position in its source.
    async fn condition_problems(
        &self,
        actor: &Actor,
        condition: &Condition,
    ) -> Result<Vec<FieldError>, ChangeError> {
        let Condition { language, source } = condition;
        if source.len() > Condition::MAX_SOURCE_BYTES {
            let detail = format!("must be at most {} bytes long", Condition::MAX_SOURCE_BYTES);
            return Ok(vec![FieldError::new("/condition", detail)]);
        }
        let Some(plugin) = self.plugins.get(Kind::Condition, language) else {
            if self.plugins.is_awaited(language) {
                return Err(EngineError::Compiling { id: language.clone() }.into());
            }
            let known = self.plugins.ids(Kind::Condition).join(", ");
            let detail =
                format!("there is no condition language `{language}`; loaded are: {known}");
            return Ok(vec![FieldError::new("/condition", detail)]);
        };
        if !self.plugins.is_open_to(language, &actor.tenant) {
            let detail = format!(
                "the condition language `{language}` is not open to this namespace; ask the \
                 operator to grant it"
            );
            return Ok(vec![FieldError::new("/condition", detail)]);
        }
        let compiled = self.sandbox.compile(&plugin, &actor.tenant, source).await;
        let diagnostics = match compiled.map_err(EngineError::from)? {
            Ok(()) => return Ok(Vec::new()),
            Err(diagnostics) => diagnostics,
        };
        Ok(in_source(source, "/condition", diagnostics))
    }
}

/// A rule as it would be with a change.
struct Changed {
    /// Its `updated_at` is still that of the version that was read.
    rule: AlertRule,
    /// What becomes of what it remembers.
    trigger: TriggerChange,
    /// What changed about it, for the audit log.
    detail: Value,
}

/// What is wrong with a rule that can be told from the rule alone.
fn field_problems(spec: &RuleSpec) -> Vec<FieldError> {
    let mut problems = name::problems(&spec.name);
    let under = |pointer: &'static str| move |problem: FieldError| problem.under(pointer);
    problems.extend(spec.trigger.problems(&spec.event_type).into_iter().map(under("/trigger")));
    problems.extend(spec.retry_policy.problems().into_iter().map(under("/retry_policy")));
    if let Some(limit) = spec.rate_limit {
        problems.extend(limit.problems().into_iter().map(under("/rate_limit")));
    }
    problems
}

fn refuse(problems: Vec<FieldError>) -> Result<(), ChangeError> {
    if problems.is_empty() { Ok(()) } else { Err(ChangeError::Invalid(problems)) }
}

/// What a change of the trigger means for what the rule remembers.
fn trigger_change(had: &Trigger, has: &Trigger) -> TriggerChange {
    match (had, has) {
        (Trigger::Duration(had), Trigger::Duration(has)) if had != has => {
            // Both are at most thirty days.
            let by_ms = has.threshold_ms.cast_signed() - had.threshold_ms.cast_signed();
            TriggerChange::Shift { by_us: by_ms * 1000 }
        }
        (Trigger::Threshold(had), Trigger::Threshold(has)) if had.group_by == has.group_by => {
            TriggerChange::None
        }
        (had, has) if had == has => TriggerChange::None,
        _ => TriggerChange::Forget,
    }
}
