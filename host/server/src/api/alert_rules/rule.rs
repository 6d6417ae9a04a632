//! An alert rule as the API shows it.

use std::borrow::Cow;

use alerts_domain::Timestamp;
use alerts_domain::condition::Condition;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::label::Label;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::retry::RetryPolicy;
use alerts_domain::rule::{AlertRule, EventTypePattern};
use alerts_domain::trigger::Trigger;
use alerts_store::RuleFirings;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::api::version::{self, Versioned};

/// When to send.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AlertRule)]
pub(super) struct AlertRuleView {
    id: RuleId,
    /// For people.
    #[schema(example = "Any failed run")]
    name: String,
    /// Which events it looks at: a type, with `*` for any run of characters.
    #[schema(value_type = String, example = "workflow.failed")]
    event_type: EventTypePattern,
    /// Absent means always.
    #[schema(value_type = Option<ConditionView>)]
    condition: Option<ConditionView>,
    webhook_endpoint_id: EndpointId,
    trigger: Trigger,
    retry_policy: RetryPolicy,
    /// How many of its deliveries may start.
    rate_limit: Option<RateLimit>,
    is_active: bool,
    /// Why the host switched it off: its target is gone.
    disabled_reason: Option<String>,
    /// The newest error of its condition at run time.
    last_condition_error: Option<String>,
    /// When its newest alert was made, of those that are stored; null when there is none, and
    /// in answers to changes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_fired_at: Option<Timestamp>,
    /// How many alerts were made for it in the last 24 hours, this one included, redriven ones
    /// among them. Null in answers to changes.
    fired_24h: Option<u64>,
    /// The same as the header `ETag`: send it as `If-Match` to change this version and no
    /// other.
    #[schema(example = "\"1767225600000000\"")]
    etag: String,
    /// The configuration that has made it; null when a person did.
    #[schema(value_type = Option<String>)]
    managed_by: Option<Label>,
    /// Who made it: a key's id.
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it was deleted, softly.
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
}

impl From<AlertRule> for AlertRuleView {
    fn from(rule: AlertRule) -> Self {
        let etag = version::tag(rule.version());
        let spec = rule.spec;
        Self {
            id: rule.id,
            name: spec.name,
            event_type: spec.event_type,
            condition: spec.condition.map(ConditionView),
            webhook_endpoint_id: spec.webhook_endpoint_id,
            trigger: spec.trigger,
            retry_policy: spec.retry_policy,
            rate_limit: spec.rate_limit,
            is_active: spec.is_active,
            disabled_reason: rule.disabled_reason,
            last_condition_error: rule.last_condition_error,
            last_fired_at: None,
            fired_24h: None,
            etag,
            managed_by: rule.managed_by,
            created_by: rule.created_by,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
            deleted_at: rule.deleted_at,
        }
    }
}

impl AlertRuleView {
    pub(super) fn id(&self) -> RuleId {
        self.id
    }

    /// With what it has done.
    pub(super) fn with_firings(mut self, firings: RuleFirings) -> Self {
        self.last_fired_at = firings.last_fired_at;
        self.fired_24h = Some(firings.since);
        self
    }
}

impl Versioned for AlertRuleView {
    fn tag(&self) -> &str {
        &self.etag
    }
}

/// A condition in the form in which people write it: CEL as a string, any other
/// language as an object.
#[derive(Debug)]
pub(crate) struct ConditionView(Condition);

impl From<Condition> for ConditionView {
    fn from(condition: Condition) -> Self {
        Self(condition)
    }
}

impl Serialize for ConditionView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.language == Condition::DEFAULT_LANGUAGE {
            serializer.serialize_str(&self.0.source)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl utoipa::PartialSchema for ConditionView {
    fn schema() -> RefOr<Schema> {
        let cel = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Source text in CEL."))
            .examples(["event.data.errored_count > 3"]);
        let other = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("language", ObjectBuilder::new().schema_type(Type::String))
            .property(
                "source",
                ObjectBuilder::new()
                    .schema_type(SchemaType::AnyValue)
                    .description(Some("A string, or JSON for JSONLogic.")),
            )
            .required("language")
            .required("source");
        OneOfBuilder::new().item(cel).item(other).into()
    }
}

impl utoipa::ToSchema for ConditionView {
    fn name() -> Cow<'static, str> {
        "Condition".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_shown_as_it_is_written() {
        let shown = |json: &str| {
            let condition = serde_json::from_str(json).unwrap();
            serde_json::to_string(&ConditionView(condition)).unwrap()
        };
        assert_eq!(shown(r#""a > 1""#), r#""a > 1""#);
        assert_eq!(shown(r#"{"language":"cel","source":"a"}"#), r#""a""#);
        let logic = r#"{"language":"jsonlogic","source":"{\">\":[1,2]}"}"#;
        assert_eq!(shown(logic), logic);
    }
}
