//! The plugins in use, by id.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use alerts_package::Kind;
use alerts_sandbox::Plugin;

/// Which plugins are loaded. Cheap to clone; all clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Plugins(Arc<RwLock<BTreeMap<String, Arc<Plugin>>>>);

impl Plugins {
    /// Puts one in use under its own id, in place of an older one. What is in
    /// flight goes on with the older one.
    pub fn insert(&self, plugin: Arc<Plugin>) {
        let id = plugin.id().to_owned();
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(id, plugin);
    }

    /// The plugin of this kind with this id.
    pub fn get(&self, kind: Kind, id: &str) -> Option<Arc<Plugin>> {
        let plugins = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        plugins.get(id).filter(|plugin| plugin.kind() == kind).cloned()
    }

    /// All of them, in order of their ids.
    pub fn all(&self) -> Vec<Arc<Plugin>> {
        let plugins = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        plugins.values().cloned().collect()
    }

    /// The ids of a kind, in order.
    pub fn ids(&self, kind: Kind) -> Vec<String> {
        let plugins = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let of_kind = plugins.values().filter(|plugin| plugin.kind() == kind);
        of_kind.map(|plugin| plugin.id().to_owned()).collect()
    }
}
