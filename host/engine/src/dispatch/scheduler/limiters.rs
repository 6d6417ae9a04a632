//! The scheduler's rate limiters as others see them: which of them hold something
//! back, where an earlier process left them, and starts that turned out to be none.

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;

use super::lane::Turn;
use super::work::Work;
use super::{Scheduler, Waiting};
use crate::dispatch::rate::{Limited, Pace};
use crate::live::RateLimits;

impl<W: Work> Scheduler<W> {
    /// The rate limiters that hold something back.
    pub(in crate::dispatch) fn limiters(&self, now: Timestamp) -> Vec<(Limited, Timestamp)> {
        let endpoints = self.lanes.iter().map(|(id, lane)| (Limited::Endpoint(id), lane.pace));
        let rules = self.rules.paces().map(|(id, pace)| (Limited::Rule(id), pace));
        let all = self.paces.iter().chain(endpoints).chain(rules);
        let held = all.filter(|(_, pace)| !pace.is_idle(now));
        held.map(|(limited, pace)| (limited, pace.free_at())).collect()
    }

    /// Goes on with a limiter where an earlier process left it.
    pub(in crate::dispatch) fn restore(&mut self, limited: Limited, free_at: Timestamp) {
        let pace = Pace::from_free_at(free_at);
        match limited {
            Limited::Host => self.paces.restore_all(pace),
            Limited::Tenant(id) => self.paces.restore_tenant(id, pace),
            Limited::Endpoint(id) => self.lanes.lane(id).pace = pace,
            Limited::Rule(id) => self.rules.restore(id, pace),
        }
    }

    /// A piece that was started, and counted against these limits, has sent nothing: it
    /// uses up none of them. Comes before its [`Self::finished`].
    pub(in crate::dispatch) fn sent_nothing(
        &mut self,
        tenant: &TenantId,
        endpoint: EndpointId,
        rule: Option<RuleId>,
        limits: RateLimits,
    ) {
        // What waits for a tenant's limit is looked at again when its time comes.
        self.paces.uncount(tenant, limits.tenant);
        if let (Some(limit), Some(lane)) = (limits.endpoint, self.lanes.get_mut(endpoint)) {
            lane.pace.uncount(limit);
            if let Turn::Parked(key) = lane.turn {
                self.parked.remove(key);
                self.wake(Waiting::Lane(tenant.clone(), endpoint));
            }
        }
        if let (Some(limit), Some(rule)) = (limits.rule, rule) {
            self.rules.uncount(rule, limit);
            self.wake(Waiting::Rule(rule));
        }
    }

    /// Whether a piece of work that comes now waits for one of these limits.
    pub(in crate::dispatch) fn waits_for_limit(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        rule: RuleId,
        limits: RateLimits,
        now: Timestamp,
    ) -> bool {
        let (limit, pace) = self.paces.of_all();
        let paces = [
            (limit, Some(pace)),
            (limits.tenant, self.paces.of_tenant(tenant)),
            (limits.endpoint, self.lanes.get(endpoint).map(|lane| lane.pace)),
            (limits.rule, self.rules.pace(rule)),
        ];
        paces.into_iter().any(|(limit, pace)| {
            limit.zip(pace).is_some_and(|(limit, mut pace)| pace.earliest(limit, now) > now)
        })
    }
}
