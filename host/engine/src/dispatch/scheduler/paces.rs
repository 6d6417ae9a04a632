//! How far the rate limits are used that bind several lanes: the one on all, and each
//! tenant's. An endpoint's is in its lane, a rule's beside what it holds back.

use std::collections::HashMap;

use alerts_domain::Timestamp;
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;

use crate::dispatch::rate::{Limited, Pace};

#[derive(Debug)]
pub(super) struct Paces {
    /// On all lanes.
    limit: Option<RateLimit>,
    all: Pace,
    tenants: HashMap<TenantId, Pace>,
}

impl Paces {
    pub(super) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, all: Pace::default(), tenants: HashMap::new() }
    }

    /// Until when nothing may start; none when something may now.
    pub(super) fn all_wait_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.limit.map(|limit| self.all.earliest(limit, now)).filter(|at| *at > now)
    }

    /// Until when nothing of this tenant's may start; none when something may now.
    pub(super) fn tenant_waits_until(
        &mut self,
        tenant: &TenantId,
        limit: Option<RateLimit>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let pace = self.tenants.get_mut(tenant)?;
        limit.map(|limit| pace.earliest(limit, now)).filter(|at| *at > now)
    }

    /// Counts one of the tenant's that starts now.
    pub(super) fn count(&mut self, tenant: &TenantId, limit: Option<RateLimit>, now: Timestamp) {
        if let Some(limit) = self.limit {
            self.all.count(limit, now);
        }
        if let Some(limit) = limit {
            self.tenants.entry(tenant.clone()).or_default().count(limit, now);
        }
    }

    /// The limit on all, and how far it is used.
    pub(super) fn of_all(&self) -> (Option<RateLimit>, Pace) {
        (self.limit, self.all)
    }

    /// How far a tenant's is used; none when nothing is held back for it.
    pub(super) fn of_tenant(&self, tenant: &TenantId) -> Option<Pace> {
        self.tenants.get(tenant).copied()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Limited, Pace)> + '_ {
        let tenants = self.tenants.iter().map(|(id, pace)| (Limited::Tenant(id.clone()), *pace));
        std::iter::once((Limited::Host, self.all)).chain(tenants)
    }

    pub(super) fn restore_all(&mut self, pace: Pace) {
        self.all = pace;
    }

    pub(super) fn restore_tenant(&mut self, tenant: TenantId, pace: Pace) {
        self.tenants.insert(tenant, pace);
    }

    /// Forgets tenants that nothing is held back for.
    pub(super) fn forget_idle(&mut self, now: Timestamp) {
        self.tenants.retain(|_, pace| !pace.is_idle(now));
    }
}
