//! The conditions that made their plugin fail. They are evaluated apart, so
//! that one bad condition does not cost its neighbours their warm instance on
//! every event. Forgotten at a restart, and then found again.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use alerts_domain::tenant::TenantId;

/// Remembered for one plugin, over all tenants. Beyond that the oldest is
/// forgotten, which costs time and nothing else.
const CAPACITY: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// So that the usual case, none at all, takes no lock.
    count: AtomicUsize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    sources: HashSet<(TenantId, Arc<str>)>,
    order: VecDeque<(TenantId, Arc<str>)>,
}

impl Suspects {
    /// Whether each source is one, in order; empty when there is none at all.
    pub(crate) fn among(&self, tenant: &TenantId, sources: &[Arc<str>]) -> Vec<bool> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        sources
            .iter()
            .map(|source| known.sources.contains(&(tenant.clone(), source.clone())))
            .collect()
    }

    pub(crate) fn add(&self, tenant: &TenantId, source: &Arc<str>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.clone(), source.clone());
        if known.sources.insert(key.clone()) {
            known.order.push_back(key);
        }
        if known.order.len() > CAPACITY
            && let Some(oldest) = known.order.pop_front()
        {
            known.sources.remove(&oldest);
        }
        self.count.store(known.sources.len(), Ordering::Relaxed);
    }

    pub(crate) fn clear(&self, tenant: &TenantId, source: &Arc<str>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant.clone(), source.clone());
        if known.sources.remove(&key) {
            known.order.retain(|other| *other != key);
        }
        self.count.store(known.sources.len(), Ordering::Relaxed);
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
        assert_eq!(suspects.known.lock().unwrap().sources.len(), CAPACITY);
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
