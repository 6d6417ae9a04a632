//! Endpoints that are switched off for days: their deliveries wait, cost nothing, and
//! go as soon as they may, or are given up when they are too old.

use std::time::Duration;

use alerts_domain::delivery::{Delivery, DeliveryStatus};

use crate::observe::Seen;
use crate::plan::Step;
use crate::run::Run;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// After how many days an alert is given up.
const TOO_OLD_DAYS: u64 = 7;

impl Run<'_> {
    /// The endpoint for which the most waits.
    pub(crate) fn busiest_endpoint(&self) -> usize {
        (0..self.endpoints.len())
            .max_by_key(|endpoint| self.waiting_for(*endpoint).count())
            .unwrap()
    }

    /// Days pass while some endpoints are off; then they are on again.
    pub(crate) async fn stay_away(&mut self, days: u64) {
        let off = |run: &Self, endpoint: &usize| {
            let state = run.model.endpoints[*endpoint];
            !state.is_active && !state.is_deleted
        };
        let away: Vec<usize> = (0..self.endpoints.len()).filter(|one| off(self, one)).collect();
        self.tick_all().await;
        let waiting: Vec<Vec<Delivery>> =
            away.iter().map(|endpoint| self.waiting_for(*endpoint).cloned().collect()).collect();
        let counts: Vec<usize> = waiting.iter().map(Vec::len).collect();
        self.note(format!("endpoints {away:?} stay off for {days} days, {counts:?} wait"));
        let mut left = days * DAY;
        while left > 0 {
            let time = left.min(self.random.pick(&[6 * HOUR, DAY, 3 * DAY]));
            left -= time;
            self.clock.advance(Duration::from_secs(time));
            if self.plan.disturbances.crashes && self.random.percent(20) {
                let host = self.any_living().unwrap();
                self.note(format!("  host {host} dies, and starts again"));
                self.crash(host);
                self.restart(host, true).await;
            }
            self.tick_all().await;
        }
        // What was held is given back by now, and too old for those who look again.
        self.tick_all().await;
        for delivery in waiting.iter().flatten() {
            let now = &self.seen[&delivery.id].delivery;
            let is_dead = now.status == DeliveryStatus::Dead;
            assert_eq!(is_dead, days > TOO_OLD_DAYS, "after {days} days off: {now:?}");
            let says_why = now.last_error.as_ref().is_some_and(|e| e.contains("over a week old"));
            assert!(!is_dead || says_why, "{now:?}");
        }
        let host = self.living()[0];
        for endpoint in &away {
            self.change(host, &Step::SwitchEndpoint(*endpoint, true)).await;
        }
        self.tick_all().await;
        for (endpoint, waited) in away.into_iter().zip(waiting) {
            self.have_gone(endpoint, &waited);
        }
    }

    /// What an endpoint's switch kept back goes at once, as far as rate limits allow.
    fn have_gone(&self, endpoint: usize, waited: &[Delivery]) {
        let is_limited = |delivery: &&Delivery| {
            let rule = self.seen[&delivery.id].key.rule();
            self.plan.endpoints[endpoint].rate_limit.is_some()
                || self.plan.rules[rule].rate_limit.is_some()
        };
        let still = |delivery: &&Delivery| !self.seen[&delivery.id].delivery.status.is_terminal();
        let left = waited.iter().filter(|one| still(one) && !is_limited(one)).count();
        assert_eq!(left, 0, "endpoint {endpoint} is on, and of {waited:?} {left} wait");
        let all_wait = !waited.is_empty() && waited.iter().all(|one| still(&one));
        assert!(!all_wait, "endpoint {endpoint} is on, and nothing of {waited:?} was sent");
    }

    async fn tick_all(&mut self) {
        for host in self.living() {
            self.tick(host).await;
        }
    }

    fn waiting_for(&self, endpoint: usize) -> impl Iterator<Item = &Delivery> {
        let id = self.endpoints[endpoint];
        let all = self.seen.values().map(|Seen { delivery, .. }| delivery);
        all.filter(move |one| one.webhook_endpoint_id == id && !one.status.is_terminal())
    }
}
