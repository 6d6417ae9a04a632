//! Matching: what the conditions of a tenant's rules say about an event.

use std::collections::BTreeMap;
use std::sync::Arc;

use alerts_domain::condition::Condition;
use alerts_domain::event::Event;
use alerts_domain::id::RuleId;
use alerts_domain::outcome::{Reason, RuleOutcome};
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::Trigger;
use alerts_package::Kind;
use alerts_sandbox::Sandbox;
use bytes::Bytes;

use super::condition_errors::ConditionErrors;
use crate::live::LiveRule;
use crate::plugins::Plugins;
use crate::trouble::TroubleNotes;

/// All rules for one event.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    /// Of the rules that fire for each event, those that did not.
    pub(crate) outcomes: Vec<RuleOutcome>,
    /// The rules that fire for each event, and did.
    pub(crate) fired: Vec<Arc<LiveRule>>,
    /// The rules with a memory, and what their conditions say: whether they fire
    /// is found out where the memory is.
    pub(crate) remembering: Vec<(Arc<LiveRule>, ConditionAnswer)>,
}

/// What a rule's condition says about an event.
#[derive(Debug, Clone)]
pub(crate) enum ConditionAnswer {
    /// It holds; without one, it always does.
    Holds,
    /// It does not.
    DoesNot,
    /// It cannot be told on this event.
    Fails(String),
    /// Its plugin could not answer now.
    Pending(String),
}

impl ConditionAnswer {
    /// What is told of the rule because of it; none when it holds.
    pub(crate) fn outcome(&self, rule: RuleId) -> Option<RuleOutcome> {
        match self {
            Self::Holds => None,
            Self::DoesNot => Some(RuleOutcome::new(rule, Reason::ConditionFalse)),
            Self::Fails(error) => {
                Some(RuleOutcome::new(rule, Reason::ConditionError).with_detail(error))
            }
            Self::Pending(why) => Some(RuleOutcome::new(rule, Reason::Pending).with_detail(why)),
        }
    }
}

impl Matches {
    fn conclude(&mut self, rule: &Arc<LiveRule>, answer: ConditionAnswer) {
        if !matches!(rule.stored.spec.trigger, Trigger::Event) {
            self.remembering.push((rule.clone(), answer));
            return;
        }
        match answer.outcome(rule.stored.id) {
            Some(outcome) => self.outcomes.push(outcome),
            None => self.fired.push(rule.clone()),
        }
    }

    pub(crate) fn pending(&self) -> Vec<RuleId> {
        let pending = self.outcomes.iter().filter(|outcome| outcome.reason == Reason::Pending);
        let remembering = self.remembering.iter();
        let unsure =
            remembering.filter(|(_, answer)| matches!(answer, ConditionAnswer::Pending(_)));
        let unsure = unsure.map(|(rule, _)| rule.stored.id);
        pending.map(|outcome| outcome.alert_rule_id).chain(unsure).collect()
    }
}

/// Asks the condition plugins.
#[derive(Debug, Clone)]
pub(crate) struct Matcher {
    pub(crate) sandbox: Sandbox,
    pub(crate) plugins: Plugins,
    pub(crate) errors: ConditionErrors,
    pub(crate) trouble: TroubleNotes,
}

impl Matcher {
    /// Matches `rules` against an event: one sandbox call for each language.
    pub(crate) async fn matches(
        &self,
        tenant: &TenantId,
        event: &Event,
        rules: impl Iterator<Item = &Arc<LiveRule>>,
    ) -> Matches {
        let mut matches = Matches::default();
        let mut by_language: BTreeMap<&str, Vec<&Arc<LiveRule>>> = BTreeMap::new();
        for rule in rules {
            match &rule.stored.spec.condition {
                None => matches.conclude(rule, ConditionAnswer::Holds),
                // Only kept up to date while it is off, whatever its condition says.
                Some(_) if !rule.stored.spec.is_active => {
                    matches.conclude(rule, ConditionAnswer::DoesNot);
                }
                Some(Condition { language, .. }) => {
                    by_language.entry(language).or_default().push(rule);
                }
            }
        }
        for (language, rules) in by_language {
            match self.evaluate(tenant, language, &rules, event.shown()).await {
                Ok(answers) => {
                    for (rule, answer) in rules.into_iter().zip(answers) {
                        let answer = match answer {
                            Ok(true) => ConditionAnswer::Holds,
                            Ok(false) => ConditionAnswer::DoesNot,
                            Err(error) => {
                                self.errors.note(rule, &error);
                                let event_type = &event.event_type;
                                self.trouble.condition_failed(rule, event_type, &error);
                                ConditionAnswer::Fails(error)
                            }
                        };
                        matches.conclude(rule, answer);
                    }
                }
                Err(why) => {
                    metrics::counter!("alerts_matches_deferred_total").increment(1);
                    for rule in rules {
                        matches.conclude(rule, ConditionAnswer::Pending(why.clone()));
                    }
                }
            }
        }
        matches
    }

    /// What one rule's condition says of an event that is stored, told to nobody else.
    pub(crate) async fn answer(
        &self,
        tenant: &TenantId,
        rule: &Arc<LiveRule>,
        stored: &Bytes,
    ) -> ConditionAnswer {
        let Some(Condition { language, .. }) = &rule.stored.spec.condition else {
            return ConditionAnswer::Holds;
        };
        let event = Event::shown_of_stored(stored);
        match self.evaluate(tenant, language, &[rule], event).await {
            Ok(answers) => match answers.into_iter().next() {
                Some(Ok(true)) => ConditionAnswer::Holds,
                Some(Ok(false)) | None => ConditionAnswer::DoesNot,
                Some(Err(error)) => ConditionAnswer::Fails(error),
            },
            Err(why) => ConditionAnswer::Pending(why),
        }
    }

    /// An answer for each rule, or why the language cannot answer now.
    async fn evaluate(
        &self,
        tenant: &TenantId,
        language: &str,
        rules: &[&Arc<LiveRule>],
        event: Bytes,
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
        let answers = self
            .sandbox
            .evaluate(&plugin, tenant, sources, event)
            .await
            .map_err(|error| error.to_string())?;
        Ok(answers.into_iter().map(|v| v.map_err(|error| error.to_string())).collect())
    }
}
