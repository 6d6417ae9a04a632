//! What is shown to a rule with a memory, and what follows from it for the event,
//! its tenant and the outside.

use bytes::Bytes;
use jiff::Timestamp;

use super::duration::DurationTrigger;
use super::evaluate::{Firing, Observed, Occasion, evaluate};
use super::exceeded::exceeded;
use super::memory::Memory;
use super::recovery::{Watched, recovered};
use crate::delivery::Delivery;
use crate::event::Event;
use crate::id::{EventId, RuleId};
use crate::outcome::{Explanation, Reason, RuleOutcome};
use crate::tenant::TenantId;

/// What a rule with a memory sees in an event.
#[derive(Debug, Clone)]
pub struct Observation {
    /// Which rule.
    pub rule: RuleId,
    /// What it sees.
    pub seen: Observed,
    /// What is sent, should it fire; none for a rule that only keeps its memory
    /// up to date, and has nothing to say about this event.
    pub alert: Option<PreparedAlert>,
}

/// What a rule sends when it fires.
#[derive(Debug, Clone)]
pub struct PreparedAlert {
    /// What is told of the rule then.
    pub reason: Reason,
    /// What is told instead when it does not fire because the condition does not
    /// hold; none when it holds.
    pub withheld: Option<RuleOutcome>,
    /// The delivery, but for its figures; none when there is nowhere to send to.
    pub delivery: Option<Delivery>,
    /// The id of the event that the host makes of a run that takes too long.
    pub made_event: EventId,
}

/// An event as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// The id it has here.
    pub id: EventId,
    /// As it was posted.
    pub event: &'a Event,
    /// When.
    pub received_at: Timestamp,
}

/// What follows from an observation.
#[derive(Debug)]
pub struct Followed {
    /// What is told of the rule on the event.
    pub outcome: Option<RuleOutcome>,
    /// What is to be stored and sent.
    pub made: Option<Made>,
}

/// What a rule that fired leaves.
#[derive(Debug)]
pub enum Made {
    /// A delivery of the event itself.
    Delivery(Box<Delivery>),
    /// An event that the host makes.
    Event(Box<MadeEvent>),
}

/// An event that the host makes of a run that takes too long.
#[derive(Debug)]
pub struct MadeEvent {
    /// Its id.
    pub id: EventId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The event.
    pub event: Event,
    /// When it was made.
    pub received_at: Timestamp,
    /// What is told of the rule on it.
    pub outcome: RuleOutcome,
    /// What is sent; none when there is nowhere to send to.
    pub delivery: Option<Delivery>,
}

impl Observation {
    /// Lets the memory of which it is ([`Observed::key`]) take it in, and says what
    /// follows.
    pub fn take_in(&self, memory: &mut Memory, arrived: Arrived<'_>) -> Followed {
        let alert = self.alert.as_ref();
        let effects = evaluate(
            memory,
            Occasion::Seen {
                seen: &self.seen,
                event: arrived.id,
                received_at: arrived.received_at,
                can_alert: alert.is_none_or(|alert| alert.delivery.is_some()),
            },
        );
        // A rule that is off says nothing.
        let Some(alert) = alert else { return Followed { outcome: None, made: None } };
        let told = |explanation: Explanation| {
            let reason = match effects.firing {
                Some(_) => alert.reason.clone(),
                None => explanation.reason,
            };
            Explanation { reason, detail: explanation.detail }.of(self.rule)
        };
        let outcome = alert.withheld.clone().or_else(|| effects.explanation.map(told));
        let made = effects.firing.and_then(|firing| match firing {
            Firing::TooMuch { figures, .. } => {
                let delivery = alert.delivery.clone()?;
                let delivery = Delivery { event_id: arrived.id, trigger: figures, ..delivery };
                Some(Made::Delivery(delivery.into()))
            }
            // Nothing that happens is the end of a breach: time is.
            Firing::Recovered { .. } => None,
            Firing::TooLong { .. } => {
                let now = arrived.received_at;
                let shown = arrived.event.shown();
                let made = alert.made_event(arrived.tenant, self.rule, &firing, Some(&shown), now);
                made.map(|made| Made::Event(made.into()))
            }
        });
        Followed { outcome, made }
    }
}

impl PreparedAlert {
    /// The time of a run that is watched may have passed. Says what the host makes
    /// of it; none when the run has ended meanwhile or was told already. `told_by`
    /// is the event with which it started, if that is still stored.
    pub fn time_passed(
        &self,
        memory: &mut Memory,
        tenant: &TenantId,
        rule: RuleId,
        trigger: DurationTrigger,
        told_by: Option<&Bytes>,
        now: Timestamp,
    ) -> Option<MadeEvent> {
        let firing = evaluate(memory, Occasion::Due { trigger, now }).firing?;
        let shown = told_by.map(Event::shown_of_stored);
        self.made_event(tenant, rule, &firing, shown.as_deref(), now)
    }

    /// There may be no longer too much of what a rule counts. Says what the host makes of
    /// it; none when there still is, or when it was told already.
    pub fn recovered(
        &self,
        memory: &mut Memory,
        tenant: &TenantId,
        rule: RuleId,
        watched: Watched<'_>,
        now: Timestamp,
    ) -> Option<MadeEvent> {
        let effects = evaluate(memory, Occasion::Quiet { watched, now });
        let Some(Firing::Recovered { figures, detail }) = effects.firing else { return None };
        let id = self.made_event;
        Some(MadeEvent {
            id,
            tenant: tenant.clone(),
            event: recovered(id, tenant, rule, &figures, now)?,
            received_at: now,
            outcome: RuleOutcome::new(rule, self.reason.clone()).with_detail(detail),
            delivery: self.delivery.clone().map(|delivery| Delivery {
                event_id: id,
                trigger: figures,
                ..delivery
            }),
        })
    }

    fn made_event(
        &self,
        tenant: &TenantId,
        rule: RuleId,
        firing: &Firing,
        original: Option<&[u8]>,
        now: Timestamp,
    ) -> Option<MadeEvent> {
        let Firing::TooLong { figures, elapsed_ms, threshold_ms } = firing else { return None };
        let id = self.made_event;
        let detail = format!("the run has taken {elapsed_ms} ms; fires above {threshold_ms}");
        Some(MadeEvent {
            id,
            tenant: tenant.clone(),
            event: exceeded(id, tenant, original, now, *elapsed_ms),
            received_at: now,
            outcome: RuleOutcome::new(rule, self.reason.clone()).with_detail(detail),
            delivery: self.delivery.clone().map(|delivery| Delivery {
                event_id: id,
                trigger: figures.clone(),
                ..delivery
            }),
        })
    }
}
