//! What happens, held against what a rule remembers: the one place where a rule
//! with a memory decides.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::duration::DurationTrigger;
use super::group::Group;
use super::kind::Trigger;
use super::memory::Memory;
use super::recovery::Watched;
use super::run::{RunPhase, RunSighting};
use super::threshold::ThresholdTrigger;
use super::watch::{RunStep, WatchEnd};
use super::window::WindowStep;
use crate::event::{Event, EventTypePattern};
use crate::id::EventId;
use crate::outcome::{Explanation, Reason};

/// What there is to be seen in an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// A run that starts or ends.
    Run {
        /// How long it may take.
        trigger: DurationTrigger,
        /// Which run, and what happened to it.
        sighting: RunSighting,
        /// Whether the rule's condition holds, and the rule is on.
        may_fire: bool,
    },
    /// One more event in a window.
    Event {
        /// What is too much.
        trigger: ThresholdTrigger,
        /// When it happened ([`Event::happened_at`]).
        at: Timestamp,
        /// Whether it is one of the rule's own, and not only one of the total.
        is_own: bool,
        /// With which others it is counted.
        group: Group,
        /// Whether the end of a breach is to be told.
        tells_end: bool,
    },
}

impl Observed {
    /// What a rule with this trigger, which looks at `own_type`, sees in an event
    /// that came in at `received_at`. `may_fire` says whether the rule is on and
    /// its condition holds.
    ///
    /// # Errors
    /// Where there is nothing to see, what is told of the rule instead.
    pub fn of(
        trigger: &Trigger,
        own_type: &EventTypePattern,
        event: &Event,
        data: &Value,
        received_at: Timestamp,
        may_fire: bool,
    ) -> Result<Self, Explanation> {
        match trigger {
            // It remembers nothing, and there is nothing more to find out.
            Trigger::Event | Trigger::Unknown(_) => Err(Explanation::new(Reason::Fired)),
            Trigger::Duration(trigger) => match RunSighting::of(event, received_at) {
                Some(sighting) => Ok(Self::Run { trigger: *trigger, sighting, may_fire }),
                None => Err(Explanation::new(Reason::NoRun).with_detail(
                    "the event names no run: it has neither `data.run_id`, a text or a number, nor a \
                     `subject` like `graph/…/run/…`, of at most 256 bytes and without a NUL \
                     character",
                )),
            },
            // What the condition refuses is not counted at all.
            Trigger::Threshold(_) if !may_fire => Err(Explanation::new(Reason::ConditionFalse)),
            Trigger::Threshold(trigger) => Ok(Self::Event {
                at: event.happened_at(received_at),
                is_own: own_type.matches(&event.event_type),
                group: Group::of(&trigger.group_by, event, data),
                trigger: trigger.clone(),
                tells_end: false,
            }),
        }
    }

    /// The same, where somebody wants to know when there is no longer too much.
    #[must_use]
    pub fn telling_the_end(mut self) -> Self {
        if let Self::Event { tells_end, .. } = &mut self {
            *tells_end = true;
        }
        self
    }

    /// Whether a run starts with it.
    pub fn is_start(&self) -> bool {
        matches!(self, Self::Run { sighting, .. } if sighting.phase == RunPhase::Started)
    }

    /// Of which of the rule's memories this is.
    pub fn key(&self) -> &str {
        match self {
            Self::Run { sighting, .. } => sighting.run.as_str(),
            Self::Event { group, .. } => &group.key,
        }
    }

    /// The same, counted together with all events whose own groups found no room.
    #[must_use]
    pub fn without_group(&self) -> Self {
        let mut shared = self.clone();
        if let Self::Event { group, .. } = &mut shared {
            *group = Group::overflow();
        }
        shared
    }
}

/// What happens to a memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Occasion<'a> {
    /// An event, for the first time.
    Seen {
        /// What there is to be seen in it.
        seen: &'a Observed,
        /// Which event.
        event: EventId,
        /// When it came in.
        received_at: Timestamp,
        /// Whether an alert can be made, should it fire. A breach of which none can
        /// be made is still to be told.
        can_alert: bool,
    },
    /// The time of a run that is watched may have passed.
    Due {
        /// How long it may take.
        trigger: DurationTrigger,
        /// By now.
        now: Timestamp,
    },
    /// There may be no longer too much of what a rule counts.
    Quiet {
        /// What it counts.
        watched: Watched<'a>,
        /// By now.
        now: Timestamp,
    },
    /// Nobody wants to know any more when the time of a run passes.
    Dropped {
        /// Since now.
        now: Timestamp,
    },
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// What is told of the rule on the event; none where there is no event.
    pub explanation: Option<Explanation>,
    /// What it fires for, if it does.
    pub firing: Option<Firing>,
}

/// Why a rule fires, and the figures that the alert shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Firing {
    /// There was too much of something: the event itself is alerted.
    TooMuch {
        /// As the alert shows them.
        figures: Value,
        /// Of which group.
        group: Map<String, Value>,
    },
    /// There is no longer too much: the host makes an event of it.
    Recovered {
        /// As the alert shows them.
        figures: Value,
        /// The same, for people.
        detail: String,
    },
    /// A run took too long: the host makes an event of it.
    TooLong {
        /// As the alert shows them.
        figures: Value,
        /// How long it has taken, in milliseconds.
        elapsed_ms: u64,
        /// How long it may take.
        threshold_ms: u64,
    },
}

/// Lets a memory take in what happens, and says what follows. Events may come in
/// any order, but each of them once.
pub fn evaluate(memory: &mut Memory, occasion: Occasion<'_>) -> Effects {
    match occasion {
        Occasion::Seen { seen, event, received_at, can_alert } => match seen {
            Observed::Run { trigger, sighting, may_fire } => {
                see_run(memory, trigger, sighting, *may_fire, event)
            }
            Observed::Event { trigger, at, is_own, group, tells_end } => {
                let window = memory.window();
                let step = window.observe(trigger, *at, *is_own);
                match tells_end {
                    true => window.watch_end(step, group, *at, received_at),
                    false => window.leave_end(),
                }
                if step.fires && !can_alert {
                    window.not_alerted();
                }
                let over_at = window.over_at(trigger);
                let is_over = over_at.is_some_and(|over_at| over_at <= received_at);
                memory.keep_group(over_at, trigger.forgotten_after(), received_at);
                let reason = match (step.fires, step.is_breached) {
                    (true, _) => Reason::Fired,
                    (false, true) => Reason::AlreadyAlerted,
                    (false, false) if is_over => Reason::Recovered,
                    (false, false) => Reason::BelowThreshold,
                };
                let detail = trigger.explain(step.found, step.total);
                Effects {
                    explanation: Some(Explanation::new(reason).with_detail(detail)),
                    firing: step.fires.then(|| too_much(trigger, step, group)),
                }
            }
        },
        Occasion::Quiet { watched, now } => {
            let trigger = watched.trigger;
            let ended = memory.window().end(trigger, now);
            let over_at = memory.window().over_at(trigger);
            memory.keep_group(over_at, trigger.forgotten_after(), now);
            let firing = ended.map(|(found, total, told)| Firing::Recovered {
                figures: watched.figures(found, total, &told),
                detail: trigger.explain(found, total),
            });
            Effects { explanation: None, firing }
        }
        Occasion::Due { trigger, now } => {
            let elapsed_ms = memory.run().fire(&trigger, now);
            let due_at = memory.run().due_at(&trigger);
            memory.keep_run(due_at, now);
            let firing = elapsed_ms.map(|elapsed_ms| too_long(&trigger, elapsed_ms));
            Effects { explanation: None, firing }
        }
        Occasion::Dropped { now } => {
            memory.keep_run(None, now);
            Effects::default()
        }
    }
}

fn see_run(
    memory: &mut Memory,
    trigger: &DurationTrigger,
    sighting: &RunSighting,
    may_fire: bool,
    event: EventId,
) -> Effects {
    let watched_before = memory.run().watched();
    let step = memory.run().observe(trigger, sighting, may_fire);
    let (watched, due_at) = (memory.run().watched(), memory.run().due_at(trigger));
    memory.keep_run(due_at, sighting.received_at);
    // The alert is about the newest start. The end of an earlier opening that comes
    // late must not take its place.
    if watched.is_some() && watched != watched_before {
        memory.told_by = Some(event);
    }
    let (reason, detail) = explain(trigger, step);
    let firing = match step {
        RunStep::Fire { elapsed_ms } => Some(too_long(trigger, elapsed_ms)),
        RunStep::Watching { .. } | RunStep::Ended(_) => None,
    };
    Effects { explanation: Some(Explanation::new(reason).with_detail(detail)), firing }
}

fn too_much(trigger: &ThresholdTrigger, step: WindowStep, group: &Group) -> Firing {
    let mut figures = trigger.figures(step.found, step.total, group);
    if let Some(since) = step.since {
        figures["since"] = since.to_string().into();
    }
    Firing::TooMuch { figures, group: group.values.clone() }
}

fn too_long(trigger: &DurationTrigger, elapsed_ms: u64) -> Firing {
    let figures = trigger.figures(elapsed_ms);
    Firing::TooLong { figures, elapsed_ms, threshold_ms: trigger.threshold_ms }
}

/// What is told of a run on the event.
fn explain(trigger: &DurationTrigger, step: RunStep) -> (Reason, String) {
    let (reason, detail) = match step {
        RunStep::Watching { due_at } => {
            return (Reason::Watching, format!("fires at {due_at} unless the run ends before"));
        }
        RunStep::Fire { elapsed_ms } => {
            let limit_ms = trigger.threshold_ms;
            return (Reason::Fired, format!("it took {elapsed_ms} ms; fires above {limit_ms}"));
        }
        RunStep::Ended(WatchEnd::InTime) => {
            let limit_ms = trigger.threshold_ms;
            return (Reason::EndedInTime, format!("the run took no more than {limit_ms} ms"));
        }
        RunStep::Ended(WatchEnd::FiredBefore) => {
            (Reason::Duplicate, "this run was alerted already")
        }
        RunStep::Ended(WatchEnd::Withheld) => (
            Reason::ConditionFalse,
            "when the run started, the condition did not hold or the rule was off",
        ),
        RunStep::Ended(WatchEnd::NothingNew) => (
            Reason::EndedInTime,
            "a later event of this run is known, or its start is not and it does not say how long \
             it took",
        ),
    };
    (reason, detail.to_owned())
}

#[cfg(test)]
mod tests;
