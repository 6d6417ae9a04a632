//! Deferred matching: rules whose condition plugin could not answer when the
//! event came in. The event was accepted all the same; its rules are asked
//! again until the plugin answers.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::delivery::DeliveryStatus;
use alerts_domain::event::Event;
use alerts_store::{NewDelivery, PendingEvent, Store};

use super::alerting::{Alerting, Arrival};
use super::matching::Matcher;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::error::EngineError;
use crate::wakes::Wakes;

/// How many events are read at once.
const BATCH: u32 = 100;
/// How long to leave a plugin alone that could not answer.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// Asks again what could not be answered. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Deferred {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) matcher: Matcher,
    pub(crate) alerting: Alerting,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wakes: Wakes,
}

impl Deferred {
    /// One round, with a beat for each event. Says whether anything is left to be
    /// asked again.
    pub(crate) async fn round(&self, beat: impl Fn()) -> Result<bool, EngineError> {
        self.give_up_old(&beat).await?;
        let (mut left, mut last) = (false, None);
        // All of them, page by page: what waits for a language that is gone must not
        // stand before what can be answered.
        loop {
            let page = self.store.events_with_pending_rules(last.as_ref(), BATCH).await?;
            for pending in &page {
                beat();
                left |= !self.match_one(pending).await?;
            }
            last = match page.into_iter().last() {
                Some(event) => Some(event),
                None => break,
            };
        }
        self.wakes.claims.set(self.clock.now());
        self.wakes.timers.notify_one();
        Ok(left)
    }

    /// Asks no more about events that have waited for a week, and says so on them.
    async fn give_up_old(&self, beat: impl Fn()) -> Result<(), EngineError> {
        loop {
            beat();
            let given_up = self.store.give_up_old_matches(self.clock.now(), BATCH).await?;
            if given_up > 0 {
                tracing::warn!(
                    given_up,
                    "events whose condition language gave no answer are asked about no more"
                );
            }
            if given_up < u64::from(BATCH) {
                return Ok(());
            }
        }
    }

    /// Whether the event is done with. Rules that have an answer do not wait for
    /// those that have none.
    async fn match_one(&self, pending: &PendingEvent) -> Result<bool, EngineError> {
        let PendingEvent { id, tenant, body, outcomes, pending_rules, received_at } = pending;
        let (id, received_at, now) = (*id, *received_at, self.clock.now());
        let Some(event) = Event::from_stored(body.clone()) else {
            // Intake let it in, so this is a bug of ours or damage; do not loop on it.
            tracing::error!(event = %id, "a stored event does not read; its deferred rules are given up");
            self.store.give_up_match(tenant, id).await?;
            return Ok(true);
        };
        let catalog = self.catalog.get(tenant).await?;
        let rules = pending_rules.iter().filter_map(|rule| catalog.rule(*rule));
        let matches = self.matcher.matches(tenant, &event, rules).await;
        let still_pending = matches.pending();
        if still_pending.len() == pending_rules.len() {
            return Ok(false);
        }
        let mut known = outcomes.clone();
        known.retain(|outcome| !pending_rules.contains(&outcome.alert_rule_id));
        let arrival = Arrival { tenant, catalog: &catalog, id, event, received_at };
        let mut matched = self.alerting.follow_up(arrival, matches);
        for NewDelivery { delivery, lease } in &mut matched.deliveries {
            // Left to be claimed: the claim reads the event back with it.
            if lease.take().is_some() {
                delivery.status = DeliveryStatus::Scheduled;
                delivery.next_attempt_at = Some(now);
            }
        }
        known.append(&mut matched.outcomes);
        matched.outcomes = known;
        self.store.complete_match(&matched, pending_rules).await?;
        Ok(still_pending.is_empty())
    }
}
