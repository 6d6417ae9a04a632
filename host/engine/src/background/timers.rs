//! Timers: runs that are still going when their time has passed.
//!
//! They are rows in the database, so a restart forgets none. Whatever is due is
//! judged by the rule as it is now, and fired once, whichever host is first.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::event::Event;
use alerts_domain::trigger::Trigger;
use alerts_store::{DueTimer, Store, TimerAction};

use super::POLL;
use super::supervisor::{BackgroundLoop, Pulse};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::dispatch::{Dispatcher, TROUBLE};
use crate::error::EngineError;
use crate::intake::{Alerting, Matcher, PAUSE, Verdict, outcomes};
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
                match self.judge_timer(&timer, now).await? {
                    Some(action) => settled.push((timer, action)),
                    None => waits = true,
                }
            }
            if settled.is_empty() {
                continue;
            }
            let fired = self.store.settle_timers(&settled, now).await?;
            metrics::counter!("alerts_timers_fired_total").increment(fired.len() as u64);
            outcomes::count(fired);
            for (_, action) in &settled {
                if let TimerAction::Fire { alert, .. } = action
                    && let Some(delivery) = &alert.delivery
                {
                    self.dispatcher.left_in_store(delivery.webhook_endpoint_id, now);
                }
            }
        }
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
        let Trigger::Duration(trigger) = rule.stored.spec.trigger else {
            return Ok(Some(TimerAction::Drop));
        };
        if !rule.stored.spec.is_active {
            return Ok(Some(TimerAction::Drop));
        }
        match self.still_holds(timer, rule).await {
            Verdict::Holds => {}
            Verdict::Pending(_) => return Ok(None),
            Verdict::DoesNot | Verdict::Fails(_) => return Ok(Some(TimerAction::Drop)),
        }
        let alert = Box::new(self.alerting.prepared(&timer.tenant, &catalog, rule, now));
        Ok(Some(TimerAction::Fire { trigger, alert }))
    }

    /// The condition held when the run started. If the rule was changed since,
    /// it is asked again.
    async fn still_holds(&self, timer: &DueTimer, rule: &Arc<LiveRule>) -> Verdict {
        let Some((_, body, received_at)) = &timer.started else { return Verdict::Holds };
        if rule.stored.updated_at <= *received_at {
            return Verdict::Holds;
        }
        let Ok(event) = Event::from_structured(body.clone()) else { return Verdict::Holds };
        let mut matches = self.matcher.matches(&timer.tenant, &event, std::iter::once(rule)).await;
        matches.remembering.pop().map_or(Verdict::Holds, |(_, verdict)| verdict)
    }
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
