//! How many tests of one tenant run at a time: they pass the lanes and their limits by.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerts_domain::tenant::TenantId;

use crate::error::ChangeError;

/// Most tests of one tenant at a time: a person waits for one, and a few may be at it.
const MOST: usize = 4;

/// The tests that run. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestPlaces(Arc<Mutex<HashMap<TenantId, usize>>>);

impl TestPlaces {
    fn taken(&self) -> MutexGuard<'_, HashMap<TenantId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one test, until what this answers with is dropped.
    pub(super) fn take(&self, tenant: &TenantId) -> Result<TestPlace, ChangeError> {
        let mut all = self.taken();
        let taken = all.entry(tenant.clone()).or_default();
        if *taken >= MOST {
            return Err(ChangeError::Conflict(format!(
                "{MOST} tests of this namespace are under way; wait for one to end and send it again"
            )));
        }
        *taken += 1;
        Ok(TestPlace { all: self.clone(), tenant: tenant.clone() })
    }
}

/// One test that runs.
#[derive(Debug)]
#[must_use = "dropped, the test counts as ended"]
pub(super) struct TestPlace {
    all: TestPlaces,
    tenant: TenantId,
}

impl Drop for TestPlace {
    fn drop(&mut self) {
        let mut all = self.all.taken();
        if let Some(taken) = all.get_mut(&self.tenant) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_so_many_tests_at_a_time_and_a_neighbour_has_its_own() {
        let (places, ada) = (TestPlaces::default(), TenantId::new("ada").unwrap());
        let mut held: Vec<_> = (0..MOST).map(|_| places.take(&ada).unwrap()).collect();
        assert!(places.take(&ada).unwrap_err().to_string().contains("under way"));
        drop(places.take(&TenantId::new("bob").unwrap()).unwrap());
        drop(held.pop());
        drop(places.take(&ada).unwrap());
        drop(held);
        assert!(places.taken().is_empty());
    }
}
