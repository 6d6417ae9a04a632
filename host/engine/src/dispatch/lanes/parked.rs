//! What waits until a time, and what a clock that is set back means for it.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;

use super::{Lanes, Work};
use crate::dispatch::lane::Turn;

/// A clock that goes back by less is two threads that read it one after the other.
const SET_BACK: Duration = Duration::from_secs(1);

/// A place among what is parked.
pub(in crate::dispatch) type Key = (Timestamp, u64);

/// What waits until a time.
#[derive(Debug)]
pub(super) enum Parked {
    Lane(TenantId, EndpointId),
    Tenant(TenantId),
    Rule(RuleId),
}

impl<W: Work> Lanes<W> {
    /// When parked work may start next.
    pub(in crate::dispatch) fn next_parked(&self) -> Option<Timestamp> {
        let parked = self.parked.keys().next().map(|(at, _)| *at);
        [parked, self.paused_until].into_iter().flatten().min()
    }

    pub(super) fn park(&mut self, at: Timestamp, parked: Parked) -> Key {
        self.parked_count += 1;
        let key = (at, self.parked_count);
        self.parked.insert(key, parked);
        key
    }

    pub(super) fn park_lane(&mut self, at: Timestamp, tenant: &TenantId, endpoint: EndpointId) {
        let key = self.park(at, Parked::Lane(tenant.clone(), endpoint));
        self.set_turn(endpoint, Turn::Parked(key));
    }

    pub(super) fn unpark(&mut self, now: Timestamp) {
        while let Some(entry) = self.parked.first_entry().filter(|entry| entry.key().0 <= now) {
            let parked = entry.remove();
            self.wake(parked);
        }
    }

    pub(super) fn wake(&mut self, parked: Parked) {
        match parked {
            Parked::Tenant(tenant) => self.tenants.push_back(tenant),
            Parked::Rule(rule) => self.release(rule),
            Parked::Lane(tenant, endpoint) => {
                self.set_turn(endpoint, Turn::None);
                self.give_turn(tenant, endpoint);
            }
        }
    }

    /// When the clock was set back, what is parked would wait for its old time:
    /// everything is looked at again instead.
    pub(super) fn watch_clock(&mut self, now: Timestamp) {
        if now.saturating_add(SET_BACK).is_ok_and(|then| then < self.last_now) {
            for lane in self.lanes.values_mut() {
                lane.breaker.set_back(now);
            }
            for (_, parked) in std::mem::take(&mut self.parked) {
                self.wake(parked);
            }
            self.last_now = now;
        }
        self.last_now = self.last_now.max(now);
    }
}
