//! What is counted of one thing in one step of time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::failure_reason::FailureReason;
use super::latencies::Latencies;

/// Most status codes that one row tells apart: a target may answer whatever it likes.
const MOST_STATUS_CODES: usize = 32;
/// Most types of events that the row of one endpoint or rule tells apart: whoever posts
/// events makes them up.
const MOST_EVENT_TYPES: usize = 20;
/// What counts for all that have no room of their own.
const OTHERS: &str = "*";

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
    /// Attempts by the status of their last answer; those without an answer are in none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub status_codes: BTreeMap<String, u64>,
    /// Of an endpoint or a rule: deliveries that ended, by the type of their event.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub event_types: BTreeMap<String, u64>,
    /// Of what was delivered: from when the alert was made until its target had it.
    #[serde(skip_serializing_if = "Latencies::is_empty")]
    pub latencies: Latencies,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Figures {
    /// Counts one attempt, which failed for this reason or did not, and was answered with
    /// this status if at all.
    pub fn record_attempt(&mut self, failed: Option<FailureReason>, status: Option<u16>) {
        self.attempts += 1;
        if let Some(status) = status {
            count(&mut self.status_codes, &status.to_string(), 1, MOST_STATUS_CODES);
        }
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
        for (sums, counts, most) in [
            // Words of hosts of all releases: a closed list each.
            (&mut self.failure_reasons, &other.failure_reasons, usize::MAX),
            (&mut self.status_codes, &other.status_codes, MOST_STATUS_CODES),
            (&mut self.event_types, &other.event_types, MOST_EVENT_TYPES),
        ] {
            counts.iter().for_each(|(word, more)| count(sums, word, *more, most));
        }
        self.latencies.add(&other.latencies);
    }
}

/// Counts so many under a word, or under that of all others when there are `most` words
/// already.
fn count(sums: &mut BTreeMap<String, u64>, word: &str, more: u64, most: usize) {
    let has_room = sums.contains_key(word) || sums.len() < most;
    let word = if has_room { word } else { OTHERS };
    match sums.get_mut(word) {
        Some(sum) => *sum = sum.saturating_add(more),
        None => drop(sums.insert(word.to_owned(), more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_add_up() {
        let mut first = Figures { events: 2, dead: 1, ..Figures::default() };
        first.record_attempt(Some(FailureReason::Timeout), None);
        first.record_attempt(None, Some(204));
        first.record_delivered(40);
        let mut sum = first.clone();
        sum.add(&first);
        assert_eq!((sum.events, sum.dead, sum.attempts, sum.failed_attempts), (4, 2, 4, 2));
        assert_eq!((sum.delivered, sum.latencies.count()), (2, 2));
        assert_eq!(sum.failure_reasons, BTreeMap::from([("timeout".to_owned(), 2)]));
        assert_eq!(sum.status_codes, BTreeMap::from([("204".to_owned(), 2)]));
    }

    #[test]
    fn a_target_with_a_hundred_answers_has_a_row_of_bounded_size_and_none_is_lost() {
        let mut sum = Figures::default();
        for status in 200..300 {
            let mut one = Figures::default();
            one.record_attempt(None, Some(status));
            one.event_types.insert(format!("type-{status}"), 1);
            sum.add(&one);
        }
        assert_eq!(sum.status_codes.len(), MOST_STATUS_CODES + 1);
        assert_eq!(sum.event_types.len(), MOST_EVENT_TYPES + 1);
        assert_eq!(sum.status_codes.values().sum::<u64>(), 100);
        assert_eq!(sum.event_types[OTHERS], 100 - MOST_EVENT_TYPES as u64);
    }

    #[test]
    fn what_is_zero_is_not_written_and_words_of_another_release_are_kept() {
        assert_eq!(serde_json::to_string(&Figures::default()).unwrap(), "{}");
        let json = r#"{"failed_attempts":1,"failure_reasons":{"a_word_of_tomorrow":1}}"#;
        let figures: Figures = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&figures).unwrap(), json);
    }
}
