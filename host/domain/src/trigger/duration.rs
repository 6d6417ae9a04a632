//! Runs that take too long: what a tenant may ask for.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::limits::milliseconds;
use super::run::{DURATION_EXCEEDED, STARTED};
use crate::event::EventTypePattern;
use crate::problem::FieldError;

/// Fires once for each run that goes on for longer than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurationTrigger {
    /// How long a run may take, in milliseconds.
    pub threshold_ms: u64,
}

impl DurationTrigger {
    /// Longest threshold: 30 days.
    const MAX_MS: u64 = 30 * 24 * 60 * 60 * 1000;

    pub(super) fn problems(&self, event_type: &EventTypePattern) -> Vec<FieldError> {
        let mut problems = Vec::new();
        milliseconds("/threshold_ms", self.threshold_ms, Self::MAX_MS, &mut problems);
        if !event_type.matches(STARTED) && !event_type.matches(DURATION_EXCEEDED) {
            let detail = format!(
                "a rule on duration watches runs from their start: its `event_type` must be \
                 `{DURATION_EXCEEDED}`, or a pattern that covers it, and not `{}`",
                event_type.as_str()
            );
            problems.push(FieldError::new("", detail));
        }
        problems
    }

    pub(super) fn threshold(&self) -> SignedDuration {
        SignedDuration::from_millis(i64::try_from(self.threshold_ms).unwrap_or(i64::MAX))
    }

    /// The figures in the alert.
    pub fn figures(&self, elapsed_ms: u64) -> Value {
        json!({"type": "duration", "threshold_ms": self.threshold_ms, "elapsed_ms": elapsed_ms})
    }
}
