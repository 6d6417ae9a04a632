//! Which deliveries this host has in its hands, from when it may hold their lease
//! until their result is written down: what the database has leased to this host
//! and is not here, nobody works on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerts_domain::id::DeliveryId;

/// A delivery, and the number of its lease.
pub(crate) type LeaseKey = (DeliveryId, i64);

/// All that this host holds. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct InHand(Arc<Mutex<HashSet<LeaseKey>>>);

impl InHand {
    fn held(&self) -> MutexGuard<'_, HashSet<LeaseKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one in hand, until what this answers with is dropped.
    pub(super) fn take(&self, key: LeaseKey) -> Hold {
        self.held().insert(key);
        Hold { all: self.clone(), key }
    }

    pub(super) fn has(&self, key: &LeaseKey) -> bool {
        self.held().contains(key)
    }
}

/// One delivery in hand.
#[derive(Debug)]
#[must_use = "dropped, the delivery counts as forgotten"]
pub(crate) struct Hold {
    all: InHand,
    key: LeaseKey,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.all.held().remove(&self.key);
    }
}
