//! What became of one rule for one event: whether it fired, and if not, why.

use serde::{Deserialize, Serialize};

use crate::id::RuleId;

/// What became of one rule for one event. Stored with the event and shown to
/// the tenant who asks why an alert came, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RuleOutcome {
    /// Which rule.
    pub alert_rule_id: RuleId,
    /// Whether it made a delivery that is sent.
    pub fired: bool,
    /// Why, or why not.
    pub reason: Reason,
    /// The figures behind it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl RuleOutcome {
    /// An outcome without more to say.
    pub fn new(alert_rule_id: RuleId, reason: Reason) -> Self {
        Self { alert_rule_id, fired: reason.is_fired(), reason, detail: None }
    }

    /// The same with the figures behind it.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Why a rule fired or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It fired, and a delivery was made.
    Fired,
    /// It fired; a rate limit was used up, so its delivery waits.
    RateLimited,
    /// Its condition said no.
    ConditionFalse,
    /// Its condition could not be evaluated on this event.
    ConditionError,
    /// It matched, but its endpoint is switched off: a skipped delivery.
    EndpointOff,
    /// It matched, but its endpoint was deleted.
    EndpointDeleted,
    /// It matched, but alerts are not open to this tenant.
    NotInRollout,
    /// Its condition plugin could not answer; it will be asked again.
    Pending,
    /// Its condition plugin gave no answer for too long; it is asked no more.
    GivenUp,
    /// The run is watched; it fires when the threshold passes before the end.
    Watching,
    /// The run ended before the threshold, or there is nothing new about it.
    EndedInTime,
    /// The event names no run that could be watched.
    NoRun,
    /// It was counted; the window holds no more than the threshold.
    BelowThreshold,
    /// It was counted; this breach was alerted already.
    AlreadyAlerted,
    /// The alert was made for this run already, or the event came before.
    Duplicate,
}

impl Reason {
    /// Whether it stands for a delivery that is sent.
    pub fn is_fired(self) -> bool {
        matches!(self, Self::Fired | Self::RateLimited)
    }

    /// The word in the API and in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::RateLimited => "rate_limited",
            Self::ConditionFalse => "condition_false",
            Self::ConditionError => "condition_error",
            Self::EndpointOff => "endpoint_off",
            Self::EndpointDeleted => "endpoint_deleted",
            Self::NotInRollout => "not_in_rollout",
            Self::Pending => "pending",
            Self::GivenUp => "given_up",
            Self::Watching => "watching",
            Self::EndedInTime => "ended_in_time",
            Self::NoRun => "no_run",
            Self::BelowThreshold => "below_threshold",
            Self::AlreadyAlerted => "already_alerted",
            Self::Duplicate => "duplicate",
        }
    }
}
