//! Instances of condition plugins that are kept between calls, each for one
//! tenant of one plugin and never for another.
//!
//! An instance is checked out by whoever uses it, so two threads that serve
//! the same tenant at once have two.

use std::sync::{Mutex, PoisonError};

use alerts_domain::tenant::TenantId;

use crate::contract::Session;
use crate::plugin_key::PluginKey;

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
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::Diagnostic;
    use crate::fault::Fault;
    use crate::limits::CallLimits;

    /// An instance that was called so often and has grown by so much.
    struct Used {
        calls: u32,
        growth_bytes: usize,
    }

    impl Session for Used {
        fn compile(
            &mut self,
            _source: &Arc<str>,
            _limits: CallLimits,
        ) -> Result<Result<(), Vec<Diagnostic>>, Fault> {
            Ok(Ok(()))
        }

        fn evaluate(
            &mut self,
            _sources: &[&Arc<str>],
            _event: &[u8],
            _limits: CallLimits,
        ) -> Result<Vec<Result<bool, String>>, Fault> {
            Ok(Vec::new())
        }

        fn calls(&self) -> u32 {
            self.calls
        }

        fn growth_bytes(&self) -> usize {
            self.growth_bytes
        }
    }

    fn used(calls: u32) -> Box<dyn Session> {
        Box::new(Used { calls, growth_bytes: 0 })
    }

    #[test]
    fn the_longest_unused_makes_room_and_never_for_another_tenant_or_plugin() {
        let warm = WarmSessions::new(2, 100, 0);
        let (plugin, other) = (PluginKey::next(), PluginKey::next());
        let tenants = ["ada", "bob", "eve"].map(|name| TenantId::new(name).unwrap());
        let [ada, bob, eve] = &tenants;
        for (calls, tenant) in [(1, ada), (2, bob), (3, eve)] {
            warm.check_in(plugin, tenant, used(calls));
        }
        assert!(warm.check_out(plugin, ada).is_none(), "made room for eve");
        assert!(warm.check_out(other, eve).is_none());
        assert_eq!(warm.check_out(plugin, eve).map(|session| session.calls()), Some(3));
        assert!(warm.check_out(plugin, eve).is_none(), "one is given to one caller only");
        assert_eq!(warm.check_out(plugin, bob).map(|session| session.calls()), Some(2));
    }

    #[test]
    fn an_instance_that_has_served_long_enough_is_not_kept() {
        let warm = WarmSessions::new(2, 10, 1_000);
        let (plugin, ada) = (PluginKey::next(), TenantId::new("ada").unwrap());
        for (calls, growth_bytes, kept) in [(9, 1_000, true), (10, 0, false), (0, 1_001, false)] {
            warm.check_in(plugin, &ada, Box::new(Used { calls, growth_bytes }));
            assert_eq!(warm.check_out(plugin, &ada).is_some(), kept, "{calls} {growth_bytes}");
        }
    }

    #[test]
    fn a_plugin_that_is_gone_leaves_nothing() {
        let warm = WarmSessions::new(4, 10, 0);
        let (gone, stays) = (PluginKey::next(), PluginKey::next());
        let ada = TenantId::new("ada").unwrap();
        for plugin in [gone, stays, gone] {
            warm.check_in(plugin, &ada, used(0));
        }
        warm.forget(gone);
        assert!(warm.check_out(gone, &ada).is_none());
        assert!(warm.check_out(stays, &ada).is_some());
    }
}
