//! What stands in the files. What is left out has the same default as in the API.

use std::collections::BTreeMap;

use alerts_domain::condition::Condition;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::retry::RetryPolicy;
use alerts_domain::rule::EventTypePattern;
use alerts_domain::tenant::TenantId;
use alerts_domain::trigger::Trigger;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::source::{Source, Text};
use crate::api::alert_rules::ConditionView;

/// A file of configuration of Exosphere Alerts.
#[derive(Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConfigurationFile {
    /// Where to send.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) endpoints: Vec<Endpoint>,
    /// When to send.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) rules: Vec<Rule>,
    /// What the operator decides about tenants. Needs a platform key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tenants: Vec<Tenant>,
    /// Who may use plugins. Needs a platform key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) plugins: Vec<Plugin>,
}

/// A webhook endpoint: where to send.
#[derive(Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfiguredEndpoint)]
pub(super) struct Endpoint {
    /// By this the rules name it, so that no two endpoints of a namespace may share it.
    pub(super) name: String,
    /// Where alerts go. Left out: as the host has it, or the target plugin's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target_url: Option<Text>,
    /// Signs every delivery. Left out: as the host has it, or made by the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<Source>,
    /// Extra request headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, Text>,
    /// Id of the target plugin; `http` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    /// For the target plugin, by its own schema.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub(super) settings: Map<String, Value>,
    /// The target plugin's secrets, by name. One that is left out is as the host has it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secrets: BTreeMap<String, Source>,
    /// Whether anything is sent to it; true when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_active: Option<bool>,
    /// Whether alerts carry the event's `data` beyond the summary fields; false when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) include_event_data: Option<bool>,
    /// How many deliveries may start; no limit when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate_limit: Option<RateLimit>,
    /// How many times in a row the target must answer that it is gone before the rule is
    /// switched off; 1 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub(super) gone_after: Option<u32>,
}

/// An alert rule: when to send.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfiguredRule)]
pub(super) struct Rule {
    /// For people, and by this it is known: no two rules of a namespace may share it.
    pub(super) name: String,
    /// Which events it looks at: a type, with `*` for any run of characters.
    #[schema(value_type = String)]
    pub(super) event_type: EventTypePattern,
    /// When it fires; left out it always does.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_written")]
    #[schema(value_type = Option<ConditionView>)]
    pub(super) condition: Option<Condition>,
    /// The name of the endpoint to which its alerts go: one of these files, or one that the
    /// host has in the namespace.
    pub(super) endpoint: String,
    /// How it fires; on each matching event when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trigger: Option<Trigger>,
    /// How its deliveries are retried. What is left out in it has its default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_policy: Option<RetryPolicy>,
    /// How many of its deliveries may start; no limit when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate_limit: Option<RateLimit>,
    /// Whether it looks at events at all; true when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_active: Option<bool>,
}

fn as_written<S: Serializer>(condition: &Option<Condition>, to: S) -> Result<S::Ok, S::Error> {
    condition.clone().map(ConditionView::from).serialize(to)
}

/// What the operator decides about a tenant.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfiguredTenant)]
pub(super) struct Tenant {
    /// The namespace.
    #[schema(value_type = String)]
    pub(super) name: TenantId,
    /// Whether alerts are open to it while ALERTS_ROLLOUT is `beta`; false when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_beta: Option<bool>,
    /// How many deliveries may start for it; the host's default when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rate_limit: Option<RateLimit>,
}

/// Who may use a plugin.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfiguredPlugin)]
pub(super) struct Plugin {
    /// For example `ntfy`.
    pub(super) id: String,
    /// One for each tenant; an empty list opens the plugin to everyone.
    pub(super) grants: Vec<Grant>,
}

/// One tenant's right to use a plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfiguredGrant)]
pub(super) struct Grant {
    /// The namespace.
    #[schema(value_type = String)]
    pub(super) tenant: TenantId,
    /// Host names to which the plugin may send for this tenant, besides that of the
    /// endpoint's own URL. Left out: those in its manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hosts: Option<Vec<String>>,
}
