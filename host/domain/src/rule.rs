//! Alert rules: when to send.

use jiff::Timestamp;

use crate::condition::Condition;
pub use crate::event::EventTypePattern;
use crate::id::{EndpointId, RuleId};
use crate::label::Label;
use crate::rate_limit::RateLimit;
use crate::retry::RetryPolicy;
use crate::tenant::TenantId;
use crate::trigger::Trigger;

/// What a tenant decides about a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSpec {
    /// For people.
    pub name: String,
    /// Which events it looks at.
    pub event_type: EventTypePattern,
    /// Absent means always.
    pub condition: Option<Condition>,
    /// Where its alerts go.
    pub webhook_endpoint_id: EndpointId,
    /// How it fires.
    pub trigger: Trigger,
    /// How its deliveries are retried.
    pub retry_policy: RetryPolicy,
    /// How many of its deliveries may start.
    pub rate_limit: Option<RateLimit>,
    /// Whether it looks at events at all.
    pub is_active: bool,
}

/// A stored rule.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// `rule_…`.
    pub id: RuleId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What the tenant decided.
    pub spec: RuleSpec,
    /// Why the host switched it off, until a person switches it on again.
    pub disabled_reason: Option<String>,
    /// The newest run-time error of its condition.
    pub last_condition_error: Option<String>,
    /// Which configuration has made it; absent when a person did. Never changes.
    pub managed_by: Option<Label>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted, softly.
    pub deleted_at: Option<Timestamp>,
}

impl AlertRule {
    /// Grows with every change of it: of two changes, the later one is at least a
    /// microsecond after the other, whatever the clock says.
    pub fn version(&self) -> i64 {
        self.updated_at.as_microsecond()
    }
}
