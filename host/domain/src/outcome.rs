//! What became of one rule for one event: whether it fired, and if not, why.

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use crate::id::RuleId;
use crate::text::kept;

/// Longest detail, in bytes: a condition error with its place, or a sentence with
/// figures. It is stored with each event.
const MAX_DETAIL_BYTES: usize = 1024;

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

    /// The same with the figures behind it, which may come from a plugin: as much
    /// of them as is kept.
    #[must_use]
    pub fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = Some(kept(detail.as_ref(), MAX_DETAIL_BYTES));
        self
    }
}

/// What is told of a rule, whichever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why it fired, or did not.
    pub reason: Reason,
    /// The figures behind it, for people.
    pub detail: Option<String>,
}

impl Explanation {
    /// One without more to say.
    pub fn new(reason: Reason) -> Self {
        Self { reason, detail: None }
    }

    /// The same with the figures behind it.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Told of this rule.
    pub fn of(self, rule: RuleId) -> RuleOutcome {
        let outcome = RuleOutcome::new(rule, self.reason);
        match self.detail {
            Some(detail) => outcome.with_detail(detail),
            None => outcome,
        }
    }
}

/// Why a rule fired or did not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// It was counted; the breach that was alerted is over, and an alert says so.
    Recovered,
    /// The alert was made for this run already, or the event came before.
    Duplicate,
    /// A word of a newer release, kept as it is: that one host does not know it
    /// must not stop it from working on the event.
    #[serde(untagged)]
    Other(String),
}

impl Reason {
    /// Those there are in this release.
    pub const ALL: [Self; 16] = [
        Self::Fired,
        Self::RateLimited,
        Self::ConditionFalse,
        Self::ConditionError,
        Self::EndpointOff,
        Self::EndpointDeleted,
        Self::NotInRollout,
        Self::Pending,
        Self::GivenUp,
        Self::Watching,
        Self::EndedInTime,
        Self::NoRun,
        Self::BelowThreshold,
        Self::AlreadyAlerted,
        Self::Recovered,
        Self::Duplicate,
    ];

    /// Whether it stands for a delivery that is sent.
    pub fn is_fired(&self) -> bool {
        matches!(self, Self::Fired | Self::RateLimited)
    }

    /// The word in the API and in metrics; one word for all that are not known here.
    pub fn word(&self) -> &'static str {
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
            Self::Recovered => "recovered",
            Self::Duplicate => "duplicate",
            Self::Other(_) => "other",
        }
    }
}

// The words of this release: what a newer one says is none of its promises.
impl utoipa::PartialSchema for Reason {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Why a rule fired or did not."))
            .enum_values(Some(Self::ALL.map(|reason| reason.word())))
            .into()
    }
}

impl utoipa::ToSchema for Reason {}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_word_of_a_newer_release_is_kept_as_it_is() {
        let rule = RuleId::new(Timestamp::UNIX_EPOCH, 1);
        let stored = json!({"alert_rule_id": rule, "fired": false, "reason": "snoozed"});
        let read: RuleOutcome = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(read.reason, Reason::Other("snoozed".to_owned()));
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
    }

    #[test]
    fn reasons_are_stored_as_the_words_that_are_shown() {
        for reason in Reason::ALL {
            let word = json!(reason.word());
            assert_eq!(serde_json::to_value(&reason).unwrap(), word);
            assert_eq!(serde_json::from_value::<Reason>(word).unwrap(), reason);
        }
    }

    #[test]
    fn a_detail_has_a_bound_and_no_character_that_a_database_cannot_hold() {
        let outcome =
            RuleOutcome::new(RuleId::new(Timestamp::UNIX_EPOCH, 1), Reason::ConditionError);
        let detail = outcome.with_detail(format!("a\0b{}", "x".repeat(500_000))).detail.unwrap();
        assert!(detail.len() <= MAX_DETAIL_BYTES && detail.starts_with("a\u{fffd}b"));
    }
}
