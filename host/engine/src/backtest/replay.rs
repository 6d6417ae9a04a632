//! A rule that is shown stored events: what it decides is what it decides in
//! service, with its memories here instead of in the database, and with time that
//! passes from one event to the next.

use std::collections::{BTreeSet, HashMap};

use alerts_domain::Timestamp;
use alerts_domain::event::Event;
use alerts_domain::id::EventId;
use alerts_domain::rule::RuleSpec;
use alerts_domain::trigger::{Firing, MAX_GROUPS, Memory, Observed, Occasion, Trigger, evaluate};
use alerts_store::ScannedEvent;
use serde_json::{Map, Value};

/// Most matches that are told one by one.
pub(super) const MAX_MATCHES: usize = 1_000;

/// An alert that a rule would have sent.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestMatch {
    /// The event that would have made it fire; for a run that takes too long the
    /// event that told of it.
    pub event_id: EventId,
    /// When it would have fired.
    pub at: Timestamp,
    /// Of which group, if the rule has groups.
    pub group: Option<Map<String, Value>>,
}

/// A rule that is shown one event after another, as they came in.
#[derive(Debug)]
pub(super) struct Replay {
    spec: RuleSpec,
    /// By run or group.
    memories: HashMap<String, Memory>,
    /// Runs that are watched, by the time at which they will have taken too long.
    timers: BTreeSet<(Timestamp, String)>,
    matches: Vec<BacktestMatch>,
    total: u64,
}

impl Replay {
    pub(super) fn new(spec: RuleSpec) -> Self {
        Self {
            spec,
            memories: HashMap::new(),
            timers: BTreeSet::new(),
            matches: Vec::new(),
            total: 0,
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn into_matches(self) -> Vec<BacktestMatch> {
        self.matches
    }

    /// An event that the rule looks at, and whether its condition holds.
    pub(super) fn see(&mut self, scanned: &ScannedEvent, holds: bool) {
        self.pass(scanned.received_at);
        // Most events end here, so most are not read.
        if !holds && !matches!(self.spec.trigger, Trigger::Duration(_)) {
            return;
        }
        let Some(event) = Event::from_stored(scanned.body.clone()) else { return };
        // What the host made itself of a run that took too long is shown to no rule.
        if event.id == scanned.id.to_string() {
            return;
        }
        let received_at = scanned.received_at;
        if self.spec.trigger == Trigger::Event {
            return self.fire(scanned.id, event.happened_at(received_at), None);
        }
        let RuleSpec { trigger, event_type, .. } = &self.spec;
        let data = event.data();
        let Ok(seen) = Observed::of(trigger, event_type, &event, &data, received_at, holds) else {
            return;
        };
        self.show(scanned.id, received_at, self.in_group_with_room(seen));
    }

    /// Nothing more comes before this time.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.pass(at);
    }

    fn in_group_with_room(&self, seen: Observed) -> Observed {
        let is_full = matches!(seen, Observed::Event { .. })
            && self.memories.len() >= MAX_GROUPS
            && !self.memories.contains_key(seen.key());
        if is_full { seen.without_group() } else { seen }
    }

    fn show(&mut self, event: EventId, received_at: Timestamp, seen: Observed) {
        let key = seen.key().to_owned();
        let memory = self.memories.entry(key.clone()).or_default();
        let was_due_at = memory.due_at;
        let occasion = Occasion::Seen { seen: &seen, event, received_at, can_alert: true };
        let firing = evaluate(memory, occasion).firing;
        let due_at = memory.due_at;
        self.set_timer(key, was_due_at, due_at);
        match (firing, &seen) {
            // How often a rule would have spoken up is asked, not how often it would have
            // been over.
            (Some(Firing::Recovered { .. }), _) => {}
            (Some(Firing::TooMuch { group, .. }), Observed::Event { at, .. }) => {
                self.fire(event, *at, (!group.is_empty()).then_some(group));
            }
            (Some(_), _) => self.fire(event, received_at, None),
            (None, _) => {}
        }
    }

    fn fire(&mut self, event_id: EventId, at: Timestamp, group: Option<Map<String, Value>>) {
        self.total += 1;
        if self.matches.len() < MAX_MATCHES {
            self.matches.push(BacktestMatch { event_id, at, group });
        }
    }

    fn set_timer(&mut self, run: String, was: Option<Timestamp>, is: Option<Timestamp>) {
        if was == is {
            return;
        }
        if let Some(was) = was {
            self.timers.remove(&(was, run.clone()));
        }
        self.timers.extend(is.map(|is| (is, run)));
    }

    /// Time passes up to `now`: runs that are still going by then have taken too long.
    fn pass(&mut self, now: Timestamp) {
        let Trigger::Duration(trigger) = self.spec.trigger else { return };
        while let Some((due_at, run)) = self.timers.pop_first() {
            if due_at > now {
                self.timers.insert((due_at, run));
                return;
            }
            let Some(memory) = self.memories.get_mut(&run) else { continue };
            let firing = evaluate(memory, Occasion::Due { trigger, now: due_at }).firing;
            let told_by = memory.told_by;
            let due_at_again = memory.due_at;
            self.set_timer(run, None, due_at_again);
            if let Some((_, told_by)) = firing.zip(told_by) {
                self.fire(told_by, due_at, None);
            }
        }
    }
}
