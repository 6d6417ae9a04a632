//! What must have been sent: plain code over everything that was ever accepted,
//! which keeps all of it and forgets nothing. It shares no line with the engine.

use std::collections::{BTreeMap, BTreeSet};

use alerts_domain::trigger::{Breach, ThresholdTrigger, Trigger};

use crate::plan::{Ms, Plan, RulePlan, STARTED};
use crate::workload::Fact;

/// Host time, in milliseconds since the run began; before it when the clock is
/// set back far enough.
pub(crate) type Time = i64;

/// One alert that a rule owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// For a fact.
    Fact { rule: usize, fact: usize },
    /// For an opening of a run that took too long.
    Run { rule: usize, run: usize, opening: usize },
}

impl Key {
    pub(crate) fn rule(self) -> usize {
        match self {
            Self::Fact { rule, .. } | Self::Run { rule, .. } => rule,
        }
    }
}

/// When it is owed, and how it begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owed {
    /// The number of the doing that must make it.
    pub(crate) by: usize,
    /// Its endpoint was off.
    pub(crate) is_skipped: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct RuleState {
    pub(crate) is_active: bool,
    pub(crate) is_deleted: bool,
    pub(crate) changed_at: Time,
    pub(crate) trigger: Trigger,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct EndpointState {
    pub(crate) is_active: bool,
    pub(crate) is_deleted: bool,
}

/// All that is known of a run, to one rule.
#[derive(Debug, Default)]
struct Run {
    /// Opening, when it started, when the host was told.
    starts: Vec<(usize, Ms, Time)>,
    ends: Vec<Ms>,
    /// Starts of which there is nothing more to tell, by their times.
    done: BTreeSet<Ms>,
    /// Its timer came due while the rule was off.
    is_dropped: bool,
}

impl Run {
    /// The newest start, if the run is known to be going on since then.
    fn going_on(&self) -> Option<(usize, Ms, Time)> {
        let newest = *self.starts.iter().max_by_key(|(_, at, _)| *at)?;
        self.ends.iter().all(|end| *end < newest.1).then_some(newest)
    }
}

#[derive(Debug, Default)]
struct Window {
    /// When, and whether one of the rule's own.
    seen: Vec<(Time, bool)>,
    alerted_at: Option<Time>,
}

#[derive(Debug)]
struct Waiting {
    fact: usize,
    rules: Vec<usize>,
    told_at: Time,
}

#[derive(Debug)]
pub(crate) struct Model<'p> {
    plan: &'p Plan,
    pub(crate) rules: Vec<RuleState>,
    pub(crate) endpoints: Vec<EndpointState>,
    known: BTreeSet<(usize, String)>,
    runs: BTreeMap<(usize, usize), Run>,
    windows: BTreeMap<(usize, usize), Window>,
    waiting: Vec<Waiting>,
    pub(crate) owed: BTreeMap<Key, Owed>,
    /// The number of what is being done.
    pub(crate) doing: usize,
}

impl<'p> Model<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let rules = plan.rules.iter().map(|rule| RuleState {
            is_active: true,
            is_deleted: false,
            changed_at: 0,
            trigger: rule.trigger.clone(),
        });
        let endpoints =
            plan.endpoints.iter().map(|_| EndpointState { is_active: true, is_deleted: false });
        Self {
            plan,
            rules: rules.collect(),
            endpoints: endpoints.collect(),
            known: BTreeSet::new(),
            runs: BTreeMap::new(),
            windows: BTreeMap::new(),
            waiting: Vec::new(),
            owed: BTreeMap::new(),
            doing: 0,
        }
    }

    /// A host with or without its condition language accepts a fact. Says whether
    /// it was known.
    pub(crate) fn accept(&mut self, index: usize, now: Time, has_language: bool) -> bool {
        let plan = self.plan;
        let fact = &plan.facts[index];
        if !self.known.insert((fact.tenant, fact.id.clone())) {
            return true;
        }
        let mut unsure = Vec::new();
        for (number, rule) in plan.rules.iter().enumerate() {
            let state = &self.rules[number];
            let watches_runs = matches!(state.trigger, Trigger::Duration(_));
            let looks = rule.tenant == fact.tenant && looks_at(rule, fact) && !state.is_deleted;
            if !looks || !(state.is_active || watches_runs) {
                continue;
            }
            match rule.condition {
                Some(_) if state.is_active && !has_language => {
                    unsure.push(number);
                    // That a run has ended is true whatever the condition says.
                    if watches_runs && fact.kind != STARTED {
                        self.show(number, index, now, false);
                    }
                }
                Some(condition) if state.is_active => {
                    self.show(number, index, now, (condition.holds)(fact));
                }
                Some(_) => self.show(number, index, now, false),
                None => self.show(number, index, now, true),
            }
        }
        if !unsure.is_empty() {
            self.waiting.push(Waiting { fact: index, rules: unsure, told_at: now });
        }
        false
    }

    /// A host does what is due.
    pub(crate) fn tick(&mut self, now: Time, has_language: bool) {
        if has_language {
            let mut waiting = std::mem::take(&mut self.waiting);
            waiting.sort_by_key(|waiting| waiting.told_at);
            for Waiting { fact, rules, told_at } in waiting {
                for rule in rules {
                    let (plan, state) = (self.plan, &self.rules[rule]);
                    let condition = plan.rules[rule].condition.unwrap();
                    let holds = state.is_active && (condition.holds)(&plan.facts[fact]);
                    if !state.is_deleted {
                        self.show(rule, fact, told_at, holds);
                    }
                }
            }
        }
        let mut fired = Vec::new();
        for ((rule, number), run) in &mut self.runs {
            let state = &self.rules[*rule];
            let Trigger::Duration(trigger) = &state.trigger else { continue };
            let Some((opening, start, told_at)) = run.going_on() else { continue };
            // A host whose clock is behind hears of what is still to come.
            let from = (start as Time).min(told_at);
            let is_due = now >= from + trigger.threshold_ms as Time;
            if !is_due || run.is_dropped || run.done.contains(&start) {
                continue;
            }
            if state.is_deleted || !state.is_active {
                run.is_dropped = true;
                continue;
            }
            let is_asked_again =
                self.plan.rules[*rule].condition.is_some() && state.changed_at > told_at;
            if is_asked_again && !has_language {
                continue;
            }
            run.done.insert(start);
            fired.push(Key::Run { rule: *rule, run: *number, opening });
        }
        for key in fired {
            self.owe(key);
        }
    }

    /// A rule sees a fact, for which its condition holds or does not.
    fn show(&mut self, rule: usize, index: usize, now: Time, holds: bool) {
        let fact = &self.plan.facts[index];
        let state = &self.rules[rule];
        let may_fire = holds && state.is_active;
        match state.trigger.clone() {
            Trigger::Event if may_fire => self.owe(Key::Fact { rule, fact: index }),
            Trigger::Event => {}
            Trigger::Duration(trigger) => {
                let is_active = state.is_active;
                let run = self.runs.entry((rule, fact.run)).or_default();
                run.is_dropped = false;
                if fact.kind == STARTED {
                    let is_news = run.starts.iter().all(|(_, at, _)| *at < fact.at);
                    run.starts.push((fact.opening, fact.at, now));
                    if is_news && !may_fire {
                        run.done.insert(fact.at);
                    }
                    return;
                }
                let going_on = run.going_on();
                let is_news = run.ends.iter().all(|end| *end < fact.at);
                run.ends.push(fact.at);
                let fires = match going_on {
                    Some((_, start, _)) => {
                        let is_too_long = fact.at > start + trigger.threshold_ms;
                        // Also where the rule is off: then there is no more to tell.
                        is_too_long && run.done.insert(start) && is_active
                    }
                    None => {
                        let took = fact.took.unwrap_or(0);
                        is_news && may_fire && took > trigger.threshold_ms
                    }
                };
                if fires {
                    self.owe(Key::Run { rule, run: fact.run, opening: fact.opening });
                }
            }
            Trigger::Threshold(trigger) if may_fire => {
                let group = if trigger.group_by.is_empty() { usize::MAX } else { fact.graph };
                let is_own = fact.kind == self.plan.rules[rule].event_type;
                let window = self.windows.entry((rule, group)).or_default();
                // Nothing happened after the host was told of it.
                if window.fires(&trigger, (fact.at as Time).min(now), is_own) {
                    self.owe(Key::Fact { rule, fact: index });
                }
            }
            Trigger::Threshold(_) | Trigger::Unknown(_) => {}
        }
    }

    fn owe(&mut self, key: Key) {
        let endpoint = self.endpoints[self.plan.rules[key.rule()].endpoint];
        if endpoint.is_deleted {
            return;
        }
        let owed = Owed { by: self.doing, is_skipped: !endpoint.is_active };
        let before = self.owed.insert(key, owed);
        assert!(before.is_none(), "the model owes {key:?} twice");
    }
}

impl Window {
    fn fires(&mut self, trigger: &ThresholdTrigger, at: Time, is_own: bool) -> bool {
        // A late one is judged by the newest that is known.
        let newest = self.seen.iter().map(|(at, _)| *at).max().unwrap_or(at).max(at);
        if !self.is_breached(trigger, newest) {
            self.alerted_at = None;
        }
        self.seen.push((at, is_own));
        let is_told = self.alerted_at.is_some_and(|alerted_at| {
            trigger.cooldown_ms.is_none_or(|cooldown| newest - alerted_at < cooldown as Time)
        });
        let fires = self.is_breached(trigger, newest) && !is_told;
        if fires {
            self.alerted_at = Some(newest);
        }
        fires
    }

    /// Of all that happened in the window that ends at `end`.
    fn is_breached(&self, trigger: &ThresholdTrigger, end: Time) -> bool {
        let mut within: Vec<(Time, bool)> = self.seen.clone();
        within.retain(|(at, _)| *at <= end && *at + trigger.window_ms as Time > end);
        within.sort_by_key(|(at, _)| *at);
        match &trigger.breach {
            Breach::Count(most) => within.len() > *most as usize,
            Breach::Ratio(ratio) => {
                let newest = within.iter().rev().take(ratio.last as usize);
                let own = newest.clone().filter(|(_, is_own)| *is_own).count();
                let total = newest.count();
                total >= ratio.min_total as usize && own as f64 / total as f64 > ratio.above
            }
        }
    }
}

fn looks_at(rule: &RulePlan, fact: &Fact) -> bool {
    match &rule.trigger {
        Trigger::Duration(_) => true,
        Trigger::Threshold(ThresholdTrigger { breach: Breach::Ratio(_), .. }) => {
            fact.kind != STARTED
        }
        _ => match rule.event_type.strip_suffix('*') {
            Some(beginning) => fact.kind.starts_with(beginning),
            None => fact.kind == rule.event_type,
        },
    }
}
