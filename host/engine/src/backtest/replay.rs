//! A rule's memory while it is shown stored events: the same state machines as
//! in service, in memory instead of in the database.

use std::collections::{BTreeSet, HashMap};

use alerts_domain::Timestamp;
use alerts_domain::event::Event;
use alerts_domain::id::EventId;
use alerts_domain::rule::RuleSpec;
use alerts_domain::trigger::{
    DurationTrigger, Group, MAX_GROUPS, RunSighting, RunStep, RunWatch, ThresholdTrigger, Trigger,
    Window,
};
use alerts_store::ScannedEvent;
use serde_json::{Map, Value};

use crate::intake::alerting::data_of;

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
    groups: HashMap<String, Window>,
    runs: HashMap<String, (RunWatch, EventId)>,
    /// Runs that are watched, by the time at which they will have taken too long.
    timers: BTreeSet<(Timestamp, String)>,
    matches: Vec<BacktestMatch>,
    total: u64,
}

impl Replay {
    pub(super) fn new(spec: RuleSpec) -> Self {
        Self {
            spec,
            groups: HashMap::new(),
            runs: HashMap::new(),
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
        let Ok(event) = Event::from_structured(scanned.body.clone()) else { return };
        let at = event.happened_at(scanned.received_at);
        match self.spec.trigger.clone() {
            Trigger::Event => self.fire(scanned.id, at, None),
            Trigger::Threshold(trigger) => self.count(&trigger, &event, scanned.id, at),
            Trigger::Duration(trigger) => self.watch(trigger, &event, scanned, holds),
        }
    }

    /// Nothing more comes before this time.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.pass(at);
    }

    fn fire(&mut self, event_id: EventId, at: Timestamp, group: Option<Map<String, Value>>) {
        self.total += 1;
        if self.matches.len() < MAX_MATCHES {
            self.matches.push(BacktestMatch { event_id, at, group });
        }
    }

    fn count(&mut self, trigger: &ThresholdTrigger, event: &Event, id: EventId, at: Timestamp) {
        let mut group = Group::of(&trigger.group_by, event, &data_of(event));
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&group.key) {
            group = Group::overflow();
        }
        let is_own = self.spec.event_type.matches(&event.event_type);
        let window = self.groups.entry(group.key).or_default();
        if window.observe(trigger, at, is_own).fires {
            self.fire(id, at, (!group.values.is_empty()).then_some(group.values));
        }
    }

    fn watch(
        &mut self,
        trigger: DurationTrigger,
        event: &Event,
        scanned: &ScannedEvent,
        holds: bool,
    ) {
        let received_at = scanned.received_at;
        let Some(sighting) = RunSighting::of(event, &data_of(event), received_at) else { return };
        let run = sighting.run.clone();
        let (watch, told_by) =
            self.runs.entry(run.clone()).or_insert_with(|| (RunWatch::default(), scanned.id));
        if let Some(due_at) = watch.due_at(&trigger) {
            self.timers.remove(&(due_at, run.clone()));
        }
        let step = watch.observe(&trigger, &sighting, holds);
        if let RunStep::Watching { .. } = step {
            *told_by = scanned.id;
        }
        if let Some(due_at) = watch.due_at(&trigger) {
            self.timers.insert((due_at, run));
        }
        if let RunStep::Fire { .. } = step {
            self.fire(scanned.id, received_at, None);
        }
    }

    /// Time passes up to `now`: runs that are still going by then have taken too long.
    fn pass(&mut self, now: Timestamp) {
        let Trigger::Duration(trigger) = self.spec.trigger else { return };
        while let Some((due_at, run)) = self.timers.pop_first() {
            if due_at > now {
                self.timers.insert((due_at, run));
                return;
            }
            let Some((watch, told_by)) = self.runs.get_mut(&run) else { continue };
            let told_by = *told_by;
            if watch.fire(&trigger, due_at).is_some() {
                self.fire(told_by, due_at, None);
            }
        }
    }
}
