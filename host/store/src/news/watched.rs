//! Which tenants are watched, here or on another host.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use alerts_domain::tenant::TenantId;
use tokio::sync::Notify;

use crate::dialect::Dialect;

/// For how long it is believed what other hosts watch. After that everything is told:
/// a host that cannot ask must not keep others from seeing what it does. Who never asks
/// is no host.
const BELIEVED_FOR: Duration = Duration::from_secs(3);

/// Which tenants are watched. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    dialect: Dialect,
    state: Arc<RwLock<State>>,
    /// Something was committed that is to be told.
    pub(crate) committed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    here: HashSet<TenantId>,
    elsewhere: HashSet<TenantId>,
    /// When the database was asked about `elsewhere`.
    asked_at: Option<Instant>,
}

impl Watched {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect, state: Arc::default(), committed: Arc::default() }
    }

    /// Whether what happens to a tenant is to be told.
    pub(crate) fn has(&self, tenant: &TenantId) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if state.here.contains(tenant) {
            return true;
        }
        match self.dialect {
            // There is no other host.
            Dialect::Sqlite => false,
            Dialect::Postgres => {
                let is_outdated = state.asked_at.is_some_and(|at| at.elapsed() > BELIEVED_FOR);
                is_outdated || state.elsewhere.contains(tenant)
            }
        }
    }

    pub(crate) fn set_here(&self, tenants: HashSet<TenantId>) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).here = tenants;
    }

    pub(crate) fn set_elsewhere(&self, tenants: HashSet<TenantId>, asked_at: Instant) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        (state.elsewhere, state.asked_at) = (tenants, Some(asked_at));
    }

    /// Something is committed that is to be told.
    pub(crate) fn committed(&self) {
        self.committed.notify_one();
    }
}
