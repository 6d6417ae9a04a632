//! What is to be told of one endpoint: pure bookkeeping, time and circuit are arguments.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::id::RuleId;
use alerts_domain::own_event::{CIRCUIT_CLOSED, CIRCUIT_OPENED, DEAD_LETTERS, ENDPOINT_FAILING};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{GAP, later};
use crate::dispatch::CircuitState;

/// After how long one that is left alone is told of once more.
const LONG: SignedDuration = SignedDuration::from_hours(1);

/// What is noted of an endpoint.
#[derive(Debug)]
pub(super) struct EndpointNotes {
    last_failure: Timestamp,
    /// Since when its circuit is open, if that was told.
    told_open: Option<Timestamp>,
    is_long_told: bool,
    /// Nothing is told of its circuit before then.
    circuit_quiet_until: Timestamp,
    dead: Option<DeadLetters>,
    dead_quiet_until: Timestamp,
}

/// Deliveries that died since that was told last.
#[derive(Debug)]
struct DeadLetters {
    count: u64,
    since: Timestamp,
    last_error: String,
    last_rule: Option<RuleId>,
}

/// One thing to tell: the event's type and data, without the endpoint's name.
pub(super) type Told = (&'static str, Value);

impl EndpointNotes {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            last_failure: now,
            told_open: None,
            is_long_told: false,
            circuit_quiet_until: Timestamp::MIN,
            dead: None,
            dead_quiet_until: Timestamp::MIN,
        }
    }

    /// An attempt has failed for the target's sake.
    pub(super) fn failed(&mut self, now: Timestamp) {
        self.last_failure = now;
    }

    /// A delivery has died.
    pub(super) fn buried(&mut self, rule: Option<RuleId>, error: &str, now: Timestamp) {
        let dead = self.dead.get_or_insert_with(|| DeadLetters {
            count: 0,
            since: now,
            last_error: String::new(),
            last_rule: None,
        });
        dead.count += 1;
        error.clone_into(&mut dead.last_error);
        dead.last_rule = rule;
    }

    /// What is to be told by now.
    pub(super) fn due(&mut self, circuit: CircuitState, now: Timestamp) -> Vec<Told> {
        let mut told = Vec::new();
        self.circuit_due(circuit, now, &mut told);
        if now >= self.dead_quiet_until
            && let Some(dead) = self.dead.take()
        {
            self.dead_quiet_until = later(now, GAP);
            told.push((
                DEAD_LETTERS,
                json!({
                    "count": dead.count,
                    "since": dead.since,
                    "last_error": dead.last_error,
                    "last_alert_rule_id": dead.last_rule,
                }),
            ));
        }
        told
    }

    fn circuit_due(&mut self, circuit: CircuitState, now: Timestamp, told: &mut Vec<Told>) {
        match circuit {
            CircuitState::Open { since, .. } | CircuitState::HalfOpen { since } => {
                if self.told_open.is_none() && now >= self.circuit_quiet_until {
                    self.told_open = Some(since);
                    told.push((CIRCUIT_OPENED, json!({"since": since})));
                }
                let is_long = self.told_open.is_some() && now.duration_since(since) >= LONG;
                if is_long && !self.is_long_told {
                    self.is_long_told = true;
                    told.push((ENDPOINT_FAILING, json!({"since": since})));
                }
            }
            CircuitState::Closed => {
                if let Some(since) = self.told_open.take() {
                    self.is_long_told = false;
                    self.circuit_quiet_until = later(now, GAP);
                    told.push((CIRCUIT_CLOSED, json!({"since": since})));
                }
            }
        }
    }

    /// Whether there is nothing to remember of it any more.
    pub(super) fn is_over(&self, circuit: CircuitState, now: Timestamp) -> bool {
        let quiet = self.circuit_quiet_until.max(self.dead_quiet_until);
        let quiet = quiet.max(later(self.last_failure, GAP + Duration::from_secs(1)));
        let is_well = circuit == CircuitState::Closed && self.told_open.is_none();
        is_well && self.dead.is_none() && now >= quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: u64) -> Timestamp {
        later(START, Duration::from_secs(seconds))
    }

    fn open(since: u64) -> CircuitState {
        CircuitState::Open { since: at(since), next_probe_at: at(since + 60) }
    }

    fn types(told: &[Told]) -> Vec<&'static str> {
        told.iter().map(|(event_type, _)| *event_type).collect()
    }

    #[test]
    fn an_endpoint_that_comes_and_goes_is_told_of_once_in_a_while_and_its_last_state_is_told() {
        let mut notes = EndpointNotes::new(at(0));
        assert_eq!(types(&notes.due(open(1), at(1))), [CIRCUIT_OPENED]);
        assert_eq!(types(&notes.due(open(1), at(2))), [] as [&str; 0]);
        assert_eq!(types(&notes.due(CircuitState::Closed, at(3))), [CIRCUIT_CLOSED]);
        for second in 4..303 {
            let circuit = if second % 2 == 0 { open(second) } else { CircuitState::Closed };
            assert_eq!(types(&notes.due(circuit, at(second))), [] as [&str; 0], "{second}");
        }
        let told = notes.due(open(300), at(303));
        assert_eq!(told, [(CIRCUIT_OPENED, json!({"since": at(300)}))]);
    }

    #[test]
    fn one_that_stays_open_for_an_hour_is_told_of_once_more() {
        let mut notes = EndpointNotes::new(at(0));
        notes.due(open(0), at(1));
        assert_eq!(types(&notes.due(open(0), at(3599))), [] as [&str; 0]);
        assert_eq!(types(&notes.due(open(0), at(3600))), [ENDPOINT_FAILING]);
        assert_eq!(types(&notes.due(open(0), at(9000))), [] as [&str; 0]);
        assert_eq!(types(&notes.due(CircuitState::Closed, at(9001))), [CIRCUIT_CLOSED]);
        assert!(!notes.is_over(CircuitState::Closed, at(9002)));
        assert!(notes.is_over(CircuitState::Closed, at(9302)));
    }

    #[test]
    fn dead_letters_are_counted_together() {
        let mut notes = EndpointNotes::new(at(0));
        notes.buried(None, "410", at(1));
        let told = notes.due(CircuitState::Closed, at(1));
        assert_eq!((types(&told), &told[0].1["count"]), (vec![DEAD_LETTERS], &json!(1)));
        for second in 2..100 {
            notes.buried(None, &format!("error {second}"), at(second));
            assert_eq!(notes.due(CircuitState::Closed, at(second)), []);
        }
        let told = notes.due(CircuitState::Closed, at(301));
        assert_eq!(
            (&told[0].1["count"], &told[0].1["last_error"]),
            (&json!(98), &json!("error 99"))
        );
        assert_eq!(told[0].1["since"], json!(at(2)));
    }
}
