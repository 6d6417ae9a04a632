//! The places of targets that are not known to answer: half of all, so that however
//! many of them are black holes, the others have the rest.

use std::collections::VecDeque;

use alerts_domain::id::EndpointId;
use alerts_domain::tenant::TenantId;

#[derive(Debug)]
pub(super) struct Unproven {
    places: usize,
    running: usize,
    /// Lanes whose turn it was when no place was free.
    waiting: VecDeque<(TenantId, EndpointId)>,
}

impl Unproven {
    /// The share of so many places in all.
    pub(super) fn of(all: usize) -> Self {
        Self { places: all / 2, running: 0, waiting: VecDeque::new() }
    }

    pub(super) fn has_place(&self) -> bool {
        self.running < self.places
    }

    /// A piece of work has started towards such a target.
    pub(super) fn started(&mut self) {
        self.running += 1;
    }

    /// A piece of work has ended towards a target that was known to answer, or not,
    /// and now is, or is not. `others` still run towards it.
    pub(super) fn ended(&mut self, was_proven: bool, is_proven: bool, others: usize) {
        match (was_proven, is_proven) {
            (false, false) => self.running -= 1,
            (false, true) => self.running -= others + 1,
            (true, false) => self.running += others,
            (true, true) => {}
        }
    }

    /// This lane waits for a place, behind others.
    pub(super) fn wait(&mut self, tenant: TenantId, endpoint: EndpointId) {
        self.waiting.push_back((tenant, endpoint));
    }

    /// This lane needs none of the places any more.
    pub(super) fn leave(&mut self, endpoint: EndpointId) {
        self.waiting.retain(|(_, waiting)| *waiting != endpoint);
    }

    /// Those that need not wait any more: as many as there are places free.
    pub(super) fn admit(&mut self) -> Vec<(TenantId, EndpointId)> {
        let free = self.places.saturating_sub(self.running);
        self.waiting.drain(..free.min(self.waiting.len())).collect()
    }
}
