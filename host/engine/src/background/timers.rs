//! Timers: runs that are still going when their time has passed, and breaches that are
//! over.
//!
//! They are rows in the database, so a restart forgets none. Whatever is due is
//! judged by the rule as it is now, and fired once, whichever host is first.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::event::Event;
use alerts_domain::outcome::Reason;
use alerts_domain::trigger::Trigger;
use alerts_store::{DueTimer, Store, TimerAction};

use super::POLL;
use super::supervisor::{BackgroundLoop, Pulse};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::dispatch::{Dispatcher, TROUBLE};
use crate::error::EngineError;
use crate::intake::{Alerting, ConditionAnswer, Matcher, PAUSE, outcomes};
use crate::live::LiveRule;
use crate::wakes::Wakes;

/// How many timers are settled in one commit.
const BATCH: u32 = 64;

/// What settles timers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Timers {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) matcher: Matcher,
    pub(crate) alerting: Alerting,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wakes: Wakes,
}

impl Timers {
    /// Settles the timers that are due, batch by batch, with a beat for each. Says
    /// when one is due next.
    pub(crate) async fn settle_due(
        &self,
        beat: impl Fn(),
    ) -> Result<Option<Timestamp>, EngineError> {
        // What waits for a condition plugin is passed by: it must not stand before
        // what can be judged.
        let (mut waits, mut last) = (false, None);
        loop {
            beat();
            let now = self.clock.now();
            let due = self.store.due_timers(now, last.as_ref(), BATCH).await?;
            last = due.last().cloned();
            if due.is_empty() {
                return match waits {
                    true => Ok(Some(self.clock.after(PAUSE))),
                    false => Ok(self.store.next_timer().await?),
                };
            }
            let mut settled = Vec::with_capacity(due.len());
            for timer in due {
                match self.judge_timer(&timer, now).await {
                    Ok(Some(action)) => settled.push((timer, action)),
                    Ok(None) => waits = true,
                    Err(error) if error.is_unavailable() => return Err(error),
                    Err(error) => {
                        left_alone(&timer, &error);
                        waits = true;
                    }
                }
            }
            if settled.is_empty() {
                continue;
            }
            let (fired, all_settled) = self.settle(&settled, now).await?;
            waits |= !all_settled;
            metrics::counter!("alerts_timers_fired_total").increment(fired.len() as u64);
            outcomes::count(fired);
            for (_, action) in &settled {
                if let TimerAction::Fire { alert, .. } | TimerAction::Recover { alert, .. } = action
                    && let Some(delivery) = &alert.delivery
                {
                    self.dispatcher.left_in_store(delivery.webhook_endpoint_id, now);
                }
            }
        }
    }

    /// Settles these timers together. Where the database refuses that, each alone:
    /// one that cannot be settled keeps no other from it. Says what became of those
    /// that fired, and whether all are settled.
    async fn settle(
        &self,
        timers: &[(DueTimer, TimerAction)],
        now: Timestamp,
    ) -> Result<(Vec<Reason>, bool), EngineError> {
        match self.store.settle_timers(timers, now).await {
            Ok(fired) => return Ok((fired, true)),
            Err(error) if error.is_unavailable() => return Err(error.into()),
            Err(_) => {}
        }
        let (mut fired, mut all_settled) = (Vec::new(), true);
        for one in timers {
            match self.store.settle_timers(std::slice::from_ref(one), now).await {
                Ok(more) => fired.extend(more),
                Err(error) if error.is_unavailable() => return Err(error.into()),
                Err(error) => {
                    left_alone(&one.0, &error.into());
                    all_settled = false;
                }
            }
        }
        Ok((fired, all_settled))
    }

    /// What to do about a timer that is due; none when its rule's condition
    /// cannot be asked now.
    async fn judge_timer(
        &self,
        timer: &DueTimer,
        now: Timestamp,
    ) -> Result<Option<TimerAction>, EngineError> {
        let catalog = self.catalog.get(&timer.tenant).await?;
        let Some(rule) = catalog.rule(timer.rule) else { return Ok(Some(TimerAction::Drop)) };
        let spec = &rule.stored.spec;
        let alert = || Box::new(self.alerting.prepared(&timer.tenant, &catalog, rule, now));
        let trigger = match &spec.trigger {
            // A host of the release that wrote it knows what to do.
            Trigger::Unknown(_) => return Ok(None),
            _ if !spec.is_active => return Ok(Some(TimerAction::Drop)),
            Trigger::Duration(trigger) => *trigger,
            Trigger::Threshold(trigger) if self.alerting.tells_end(&catalog, rule) => {
                let trigger = Box::new(trigger.clone());
                let event_type = spec.event_type.clone();
                return Ok(Some(TimerAction::Recover { trigger, event_type, alert: alert() }));
            }
            Trigger::Event | Trigger::Threshold(_) => return Ok(Some(TimerAction::Drop)),
        };
        match self.still_holds(timer, rule).await {
            ConditionAnswer::Holds => {}
            ConditionAnswer::Pending(_) => return Ok(None),
            ConditionAnswer::DoesNot | ConditionAnswer::Fails(_) => {
                return Ok(Some(TimerAction::Drop));
            }
        }
        Ok(Some(TimerAction::Fire { trigger, alert: alert() }))
    }

    /// The condition held when the run started. If the rule was changed since,
    /// it is asked again.
    async fn still_holds(&self, timer: &DueTimer, rule: &Arc<LiveRule>) -> ConditionAnswer {
        let Some((_, body, received_at)) = &timer.started else { return ConditionAnswer::Holds };
        if rule.stored.updated_at <= *received_at {
            return ConditionAnswer::Holds;
        }
        let Some(event) = Event::from_stored(body.clone()) else { return ConditionAnswer::Holds };
        let mut matches = self.matcher.matches(&timer.tenant, &event, std::iter::once(rule)).await;
        matches.remembering.pop().map_or(ConditionAnswer::Holds, |(_, answer)| answer)
    }
}

/// A timer that cannot be settled now is looked at again later, after all others.
fn left_alone(timer: &DueTimer, error: &EngineError) {
    let DueTimer { tenant, rule, run, .. } = timer;
    metrics::counter!("alerts_timers_left_total").increment(1);
    tracing::error!(%tenant, %rule, run, %error, "a timer could not be settled; it is left for later");
}

/// Settles timers as they fall due.
pub(crate) struct TimerLoop {
    timers: Timers,
    /// When one is due next, as far as the last round has seen.
    next: Option<Timestamp>,
}

impl TimerLoop {
    pub(crate) fn new(timers: Timers) -> Self {
        Self { timers, next: None }
    }
}

impl BackgroundLoop for TimerLoop {
    const NAME: &'static str = "timers";
    /// Of one batch, with a call of a plugin for each.
    const SILENT_AFTER: Duration = Duration::from_secs(120);

    async fn round(&mut self, pulse: &Pulse) {
        self.next = self.timers.settle_due(|| pulse.beat()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "due timers could not be settled; trying again");
            Some(self.timers.clock.after(TROUBLE))
        });
    }

    async fn rest(&mut self) {
        let Timers { store, clock, wakes, .. } = &self.timers;
        let poll = store.is_shared().then(|| clock.after(POLL));
        let sleep = async {
            match [self.next, poll].into_iter().flatten().min() {
                Some(until) => clock.sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = wakes.timers.notified() => {}
        }
    }
}
