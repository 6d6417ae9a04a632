//! Instances of condition plugins that are kept between calls, each for one
//! tenant of one plugin and never for another.
//!
//! An instance is checked out by whoever uses it, so two threads that serve
//! the same tenant at once have two.

use std::sync::{Mutex, PoisonError};

use alerts_domain::tenant::TenantId;

use crate::contract::Session;
use crate::plugin::PluginKey;

/// What is kept, the longest unused first. A list, because it is short: looking
/// through it costs less than hashing a tenant's name.
pub(crate) struct WarmSessions {
    kept: Mutex<Vec<Warm>>,
    capacity: usize,
    max_calls: u32,
    max_growth_bytes: usize,
}

struct Warm {
    plugin: PluginKey,
    tenant: TenantId,
    session: Box<dyn Session>,
}

impl WarmSessions {
    pub(crate) fn new(capacity: usize, max_calls: u32, max_growth_bytes: usize) -> Self {
        Self { kept: Mutex::default(), capacity, max_calls, max_growth_bytes }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Warm>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tenant's instance, if there is one that nobody uses.
    pub(crate) fn check_out(
        &self,
        plugin: PluginKey,
        tenant: &TenantId,
    ) -> Option<Box<dyn Session>> {
        let mut kept = self.lock();
        let index =
            kept.iter().rposition(|warm| warm.plugin == plugin && warm.tenant == *tenant)?;
        Some(kept.remove(index).session)
    }

    /// Keeps a healthy instance, unless it has served long enough.
    pub(crate) fn check_in(&self, plugin: PluginKey, tenant: &TenantId, session: Box<dyn Session>) {
        if session.calls() >= self.max_calls || session.growth_bytes() > self.max_growth_bytes {
            return;
        }
        let mut kept = self.lock();
        kept.push(Warm { plugin, tenant: tenant.clone(), session });
        let evicted = (kept.len() > self.capacity).then(|| kept.remove(0));
        // Taking an instance down is system calls: not while others wait.
        drop(kept);
        drop(evicted);
    }

    /// Drops what a plugin that is no longer used has left.
    pub(crate) fn forget(&self, plugin: PluginKey) {
        let mut kept = self.lock();
        let gone: Vec<Warm> = kept.extract_if(.., |warm| warm.plugin == plugin).collect();
        drop(kept);
        drop(gone);
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().len()
    }
}
