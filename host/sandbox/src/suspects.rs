//! The conditions that made their plugin fail. They are evaluated apart, so
//! that one bad condition does not cost its neighbours their warm instance on
//! every event. Forgotten at a restart, and then found again.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerts_domain::tenant::TenantId;

/// Remembered for one plugin, over all tenants: 16 bytes each. Beyond that the
/// oldest is forgotten, which costs time and nothing else.
const CAPACITY: usize = 4096;

/// Stands for a tenant and its source. Two that share one by accident share the
/// suspicion, which costs the innocent one some time.
type Mark = u64;

#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// So that the usual case, none at all, takes no lock.
    count: AtomicUsize,
    marks: RandomState,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    marks: HashSet<Mark>,
    order: VecDeque<Mark>,
}

impl Suspects {
    /// Whether each source is one, in order; empty when there is none at all.
    pub(crate) fn among(&self, tenant: &TenantId, sources: &[Arc<str>]) -> Vec<bool> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let known = self.lock();
        sources.iter().map(|source| known.marks.contains(&self.mark(tenant, source))).collect()
    }

    pub(crate) fn add(&self, tenant: &TenantId, source: &Arc<str>) {
        let mark = self.mark(tenant, source);
        let mut known = self.lock();
        if known.marks.insert(mark) {
            known.order.push_back(mark);
        }
        if known.order.len() > CAPACITY
            && let Some(oldest) = known.order.pop_front()
        {
            known.marks.remove(&oldest);
        }
        self.count.store(known.marks.len(), Ordering::Relaxed);
    }

    pub(crate) fn clear(&self, tenant: &TenantId, source: &Arc<str>) {
        let mark = self.mark(tenant, source);
        let mut known = self.lock();
        if known.marks.remove(&mark) {
            known.order.retain(|other| *other != mark);
        }
        self.count.store(known.marks.len(), Ordering::Relaxed);
    }

    fn mark(&self, tenant: &TenantId, source: &Arc<str>) -> Mark {
        self.marks.hash_one((tenant, source))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicion_is_per_tenant_and_bounded() {
        let suspects = Suspects::default();
        let (ada, bob) = (TenantId::new("ada").unwrap(), TenantId::new("bob").unwrap());
        let sources: Arc<[Arc<str>]> = Arc::from(["good".into(), "bad".into()]);
        assert!(suspects.among(&ada, &sources).is_empty());
        suspects.add(&ada, &sources[1]);
        assert_eq!(suspects.among(&ada, &sources), [false, true]);
        assert_eq!(suspects.among(&bob, &sources), [false, false]);

        for index in 0..CAPACITY {
            suspects.add(&bob, &index.to_string().into());
        }
        assert_eq!(suspects.among(&ada, &sources), [false, false]);
        let known = suspects.lock();
        assert_eq!((known.marks.len(), known.order.len()), (CAPACITY, CAPACITY));
    }

    #[test]
    fn a_condition_that_works_again_is_cleared() {
        let suspects = Suspects::default();
        let ada = TenantId::new("ada").unwrap();
        let source: Arc<str> = "bad".into();
        suspects.add(&ada, &source);
        suspects.clear(&ada, &source);
        assert!(suspects.among(&ada, std::slice::from_ref(&source)).is_empty());
    }
}
