//! What is counted of one thing in one step of time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::failure_reason::FailureReason;
use super::latencies::Latencies;

/// What is counted of one thing (a tenant, an endpoint, a rule, a type of events) in
/// one step of time. Figures of several hosts and steps add up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Events that came in; of an endpoint or a rule, alerts that were made for it.
    #[serde(skip_serializing_if = "is_zero")]
    pub events: u64,
    /// Deliveries that their target has taken.
    #[serde(skip_serializing_if = "is_zero")]
    pub delivered: u64,
    /// Deliveries that were given up.
    #[serde(skip_serializing_if = "is_zero")]
    pub dead: u64,
    /// Attempts that ended.
    #[serde(skip_serializing_if = "is_zero")]
    pub attempts: u64,
    /// Of these, the ones that did not deliver.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_attempts: u64,
    /// Why, by [`FailureReason::as_str`]: a text, so that a host of this release reads
    /// and keeps the words of the next one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failure_reasons: BTreeMap<String, u64>,
    /// Of what was delivered: from when the alert was made until its target had it.
    #[serde(skip_serializing_if = "Latencies::is_empty")]
    pub latencies: Latencies,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Figures {
    /// Counts one attempt, which failed for this reason or did not.
    pub fn record_attempt(&mut self, failed: Option<FailureReason>) {
        self.attempts += 1;
        if let Some(reason) = failed {
            self.failed_attempts += 1;
            *self.failure_reasons.entry(reason.as_str().to_owned()).or_default() += 1;
        }
    }

    /// Counts one delivery that its target took after so long, in milliseconds.
    pub fn record_delivered(&mut self, after_ms: u64) {
        self.delivered += 1;
        self.latencies.record(after_ms);
    }

    /// Adds all that others count.
    pub fn add(&mut self, other: &Self) {
        let add = |sum: &mut u64, count: u64| *sum = sum.saturating_add(count);
        add(&mut self.events, other.events);
        add(&mut self.delivered, other.delivered);
        add(&mut self.dead, other.dead);
        add(&mut self.attempts, other.attempts);
        add(&mut self.failed_attempts, other.failed_attempts);
        for (reason, count) in &other.failure_reasons {
            match self.failure_reasons.get_mut(reason) {
                Some(sum) => add(sum, *count),
                None => drop(self.failure_reasons.insert(reason.clone(), *count)),
            }
        }
        self.latencies.add(&other.latencies);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up() {
        let mut first = Figures { events: 2, dead: 1, ..Figures::default() };
        first.record_attempt(Some(FailureReason::Timeout));
        first.record_attempt(None);
        first.record_delivered(40);
        let mut sum = first.clone();
        sum.add(&first);
        assert_eq!((sum.events, sum.dead, sum.attempts, sum.failed_attempts), (4, 2, 4, 2));
        assert_eq!((sum.delivered, sum.latencies.count()), (2, 2));
        assert_eq!(sum.failure_reasons, BTreeMap::from([("timeout".to_owned(), 2)]));
    }

    #[test]
    fn what_is_zero_is_not_written_and_words_of_another_release_are_kept() {
        assert_eq!(serde_json::to_string(&Figures::default()).unwrap(), "{}");
        let json = r#"{"failed_attempts":1,"failure_reasons":{"a_word_of_tomorrow":1}}"#;
        let figures: Figures = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&figures).unwrap(), json);
    }
}
