//! The scheduler's rate limiters as others see them: which of them hold something
//! back, and where an earlier process left them.

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;

use super::Scheduler;
use super::work::Work;
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
