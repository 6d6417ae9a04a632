//! Whose call is next: tenants in turn, and of one tenant the oldest first.
//! Bookkeeping alone, without threads and without a clock.
//!
//! What one tenant has waiting and running is bounded apart from what there is
//! in all, so that a tenant whose calls are slow fills its own queue and keeps
//! nobody else from a thread.

use std::collections::{HashMap, VecDeque};

use alerts_domain::tenant::TenantId;

/// How much there may be of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueBounds {
    /// Calls that wait, over all tenants.
    pub(crate) waiting: usize,
    /// The same of one tenant.
    pub(crate) tenant_waiting: usize,
    /// Calls of one tenant that run at once.
    pub(crate) tenant_running: usize,
}

/// Which bound a call that was turned away would have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Its tenant's own.
    Tenant,
    /// That of all tenants.
    All,
}

/// The calls of all tenants.
#[derive(Debug)]
pub(crate) struct FairQueue<C> {
    bounds: QueueBounds,
    /// Of tenants with a call that waits or runs, and of no others.
    lanes: HashMap<TenantId, Lane<C>>,
    /// Tenants with a call that may start now, each once, the next one first.
    turns: VecDeque<TenantId>,
    waiting: usize,
}

#[derive(Debug)]
struct Lane<C> {
    waiting: VecDeque<C>,
    running: usize,
}

impl<C> FairQueue<C> {
    pub(crate) fn new(bounds: QueueBounds) -> Self {
        Self { bounds, lanes: HashMap::new(), turns: VecDeque::new(), waiting: 0 }
    }

    /// Puts a call at the end of its tenant's. Says whether it may start as soon as
    /// there is a thread for it.
    pub(crate) fn push(&mut self, tenant: &TenantId, call: C) -> Result<bool, Full> {
        if self.waiting >= self.bounds.waiting {
            return Err(Full::All);
        }
        let lane = match self.lanes.get_mut(tenant) {
            Some(lane) => lane,
            None => {
                let lane = Lane { waiting: VecDeque::new(), running: 0 };
                self.lanes.entry(tenant.clone()).or_insert(lane)
            }
        };
        if lane.waiting.len() >= self.bounds.tenant_waiting {
            return Err(Full::Tenant);
        }
        lane.waiting.push_back(call);
        self.waiting += 1;
        if lane.waiting.len() == 1 && lane.running < self.bounds.tenant_running {
            self.turns.push_back(tenant.clone());
        }
        Ok(lane.running + lane.waiting.len() <= self.bounds.tenant_running)
    }

    /// Whether there is a call that may start.
    pub(crate) fn may_start(&self) -> bool {
        !self.turns.is_empty()
    }

    /// The next call to run. Whoever takes it says with [`Self::ended`] when it
    /// has ended.
    pub(crate) fn take(&mut self) -> Option<(TenantId, C)> {
        let tenant = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&tenant)?;
        let call = lane.waiting.pop_front()?;
        self.waiting -= 1;
        lane.running += 1;
        if !lane.waiting.is_empty() && lane.running < self.bounds.tenant_running {
            self.turns.push_back(tenant.clone());
        }
        Some((tenant, call))
    }

    /// A call that was taken has ended. Says whether its tenant got a turn by it.
    pub(crate) fn ended(&mut self, tenant: &TenantId) -> bool {
        let Some(lane) = self.lanes.get_mut(tenant) else { return false };
        let had_all = lane.running >= self.bounds.tenant_running;
        lane.running = lane.running.saturating_sub(1);
        if lane.waiting.is_empty() {
            if lane.running == 0 {
                self.lanes.remove(tenant);
            }
            return false;
        }
        if had_all {
            self.turns.push_back(tenant.clone());
        }
        had_all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn queue(waiting: usize, tenant_waiting: usize, tenant_running: usize) -> FairQueue<u32> {
        FairQueue::new(QueueBounds { waiting, tenant_waiting, tenant_running })
    }

    #[test]
    fn tenants_take_turns_however_many_calls_one_of_them_has() {
        let mut queue = queue(1_000, 1_000, 8);
        let (ada, bob) = (tenant("ada"), tenant("bob"));
        for call in 0..500 {
            queue.push(&ada, call).unwrap();
        }
        queue.push(&bob, 1_000).unwrap();
        queue.push(&bob, 1_001).unwrap();
        let order: Vec<u32> = (0..5).filter_map(|_| queue.take()).map(|(_, call)| call).collect();
        assert_eq!(order, [0, 1_000, 1, 1_001, 2]);
    }

    #[test]
    fn a_tenant_whose_queue_is_full_is_turned_away_and_no_other_is() {
        let mut queue = queue(4, 2, 1);
        let (ada, bob) = (tenant("ada"), tenant("bob"));
        for call in 0..2 {
            queue.push(&ada, call).unwrap();
        }
        assert_eq!(queue.push(&ada, 2), Err(Full::Tenant));
        queue.push(&bob, 3).unwrap();
        queue.push(&bob, 4).unwrap();
        assert_eq!(queue.push(&tenant("eve"), 5), Err(Full::All));
    }

    #[test]
    fn a_tenant_runs_no_more_calls_than_its_share() {
        let mut queue = queue(100, 100, 2);
        let (ada, bob) = (tenant("ada"), tenant("bob"));
        for call in 0..10 {
            queue.push(&ada, call).unwrap();
        }
        assert_eq!(queue.take().unwrap().1, 0);
        assert_eq!(queue.take().unwrap().1, 1);
        assert_eq!(queue.take(), None, "two run, and eight wait");
        assert_eq!(queue.push(&bob, 100), Ok(true), "a thread is left for bob");
        assert_eq!(queue.take().unwrap().1, 100);
        assert!(queue.ended(&ada), "one ended, so another may start");
        assert_eq!(queue.take().unwrap().1, 2);
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn a_tenant_that_has_nothing_here_any_more_is_forgotten() {
        let mut queue = queue(100, 100, 2);
        for name in 0..10_000 {
            let tenant = tenant(&name.to_string());
            queue.push(&tenant, name).unwrap();
            let (taken, _) = queue.take().unwrap();
            queue.ended(&taken);
        }
        assert_eq!((queue.lanes.len(), queue.turns.len(), queue.waiting), (0, 0, 0));
    }

    proptest! {
        /// Whatever comes in whatever order: nothing is lost, nothing waits while
        /// its tenant may run, and no share is passed.
        #[test]
        fn every_call_that_may_start_has_a_turn(steps in prop::collection::vec(0_u8..9, 0..400)) {
            let mut queue = queue(40, 20, 2);
            let names = ["ada", "bob", "eve"].map(tenant);
            let (mut running, mut pushed, mut taken) = (Vec::new(), 0_u32, 0_u32);
            for step in steps {
                match step {
                    0..=3 => {
                        let name = &names[usize::from(step) % 3];
                        pushed += u32::from(queue.push(name, pushed).is_ok());
                    }
                    4..=6 => {
                        if let Some((tenant, _)) = queue.take() {
                            running.push(tenant);
                            taken += 1;
                        }
                    }
                    _ => {
                        if !running.is_empty() {
                            queue.ended(&running.remove(0));
                        }
                    }
                }
                for name in &names {
                    let run = running.iter().filter(|tenant| *tenant == name).count();
                    let wait = queue.lanes.get(name).map_or(0, |lane| lane.waiting.len());
                    let turns = queue.turns.iter().filter(|tenant| *tenant == name).count();
                    prop_assert!(run <= 2);
                    prop_assert_eq!(turns, usize::from(wait > 0 && run < 2));
                }
                prop_assert_eq!(u32::try_from(queue.waiting), Ok(pushed - taken));
            }
        }
    }
}
