//! What is to be told of one rule's condition: pure bookkeeping, the time is an argument.

use std::time::Duration;

use alerts_domain::Timestamp;

use super::later;

/// Least time between two events about the condition of one rule: who has read the first
/// mends it, or does not.
pub(super) const GAP: Duration = Duration::from_secs(3600);

/// What is noted of a rule.
#[derive(Debug)]
pub(super) struct RuleNotes {
    /// What its condition failed with, if that is not told yet.
    error: Option<String>,
    quiet_until: Timestamp,
}

impl RuleNotes {
    pub(super) fn new() -> Self {
        Self { error: None, quiet_until: Timestamp::MIN }
    }

    pub(super) fn failed(&mut self, error: &str) {
        if self.error.is_none() {
            self.error = Some(error.to_owned());
        }
    }

    /// The error that is to be told by now.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<String> {
        if now < self.quiet_until {
            return None;
        }
        let error = self.error.take()?;
        self.quiet_until = later(now, GAP);
        Some(error)
    }

    /// Whether there is nothing to remember of it any more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.error.is_none() && now >= self.quiet_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_goes_on_failing_is_told_of_once_an_hour() {
        let (mut notes, start) = (RuleNotes::new(), Timestamp::UNIX_EPOCH);
        let at = |seconds| later(start, Duration::from_secs(seconds));
        notes.failed("no such field");
        assert_eq!(notes.due(at(0)).as_deref(), Some("no such field"));
        notes.failed("another");
        assert_eq!(notes.due(at(3599)), None);
        assert!(!notes.is_over(at(3600)));
        assert_eq!(notes.due(at(3600)).as_deref(), Some("another"));
        assert!(notes.is_over(at(7200)));
    }
}
