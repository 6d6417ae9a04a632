//! Fair turns: tenants one after another, and of each its lanes one after another.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use alerts_domain::id::EndpointId;
use alerts_domain::tenant::TenantId;

/// Lanes that may start something, in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    /// Tenants with a lane that may start something, in turn.
    tenants: VecDeque<TenantId>,
    /// Their lanes, in turn. A tenant is a key here exactly while it stands in
    /// `tenants` or was taken out of it and not yet put back.
    lanes: HashMap<TenantId, VecDeque<EndpointId>>,
}

impl Rotation {
    /// Puts a lane at the end of its tenant's, and the tenant at the end of all if
    /// it has no other.
    pub(super) fn push(&mut self, tenant: TenantId, endpoint: EndpointId) {
        match self.lanes.entry(tenant) {
            Entry::Occupied(lanes) => lanes.into_mut().push_back(endpoint),
            Entry::Vacant(none) => {
                self.tenants.push_back(none.key().clone());
                none.insert(VecDeque::from([endpoint]));
            }
        }
    }

    /// Takes the tenant whose turn it is, and its lane. The tenant must be put back
    /// with [`Self::again`], at once or later.
    pub(super) fn take(&mut self) -> Option<(TenantId, EndpointId)> {
        while let Some(tenant) = self.tenants.pop_front() {
            match self.lanes.get_mut(&tenant).and_then(VecDeque::pop_front) {
                Some(endpoint) => return Some((tenant, endpoint)),
                None => drop(self.lanes.remove(&tenant)),
            }
        }
        None
    }

    /// Puts a tenant that was taken at the end.
    pub(super) fn again(&mut self, tenant: TenantId) {
        self.tenants.push_back(tenant);
    }

    /// Puts a lane that was taken back as its tenant's first.
    pub(super) fn put_back(&mut self, tenant: TenantId, endpoint: EndpointId) {
        self.lanes.entry(tenant).or_default().push_front(endpoint);
    }
}
