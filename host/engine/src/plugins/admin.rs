//! What an operator does to plugins: puts files in, takes them away, grants and
//! limits them; each written down first, then in force on this host.

use std::sync::Arc;

use alerts_domain::address::AddressRules;
use alerts_sandbox::Sandbox;
use alerts_store::Store;

use super::Plugins;
use crate::clock::Clock;

/// The plugins, as an operator changes them. Cheap to clone.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct PluginAdmin {
    pub(crate) store: Store,
    pub(crate) sandbox: Sandbox,
    pub(crate) plugins: Plugins,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where this host sends at all: a file that asks for more is refused.
    pub(crate) addresses: AddressRules,
}

impl PluginAdmin {
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(super) fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    pub(super) fn addresses(&self) -> &AddressRules {
        &self.addresses
    }
}
