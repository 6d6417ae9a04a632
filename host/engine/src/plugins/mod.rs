//! The plugins in use, by id: where each came from, whether it is ready, and
//! who may use it.
//!
//! A plugin's id can have a file from each source, and the strongest one that
//! is ready is in use. So a file that is refused leaves the last good one in
//! its place, and one that is taken away uncovers what was there before.

pub(crate) mod admin;
pub(crate) mod folder;
mod grants;
mod limits;
mod upload;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use alerts_domain::plugin_limits::PluginLimits;
use alerts_domain::tenant::TenantId;
use alerts_package::{Digest, Kind, Manifest};
use alerts_sandbox::Plugin;

/// By plugin, then by tenant. A plugin that is not there is open to everyone.
type Grants = HashMap<String, HashMap<TenantId, Option<Vec<String>>>>;

/// Where a plugin's file came from, the weakest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginSource {
    /// The host's own binary.
    BuiltIn,
    /// `POST /v1/plugins`.
    Upload,
    /// A file in the operator's folder.
    Folder(PathBuf),
}

/// How far a plugin's newest file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginState {
    /// It is being looked at and compiled.
    Compiling,
    /// It is in use.
    Ready,
    /// It was refused; an older file may still be in use.
    Refused,
}

/// A plugin as people look at it.
#[derive(Debug, Clone)]
pub struct PluginEntry {
    /// The name by which rules and endpoints refer to it.
    pub id: String,
    /// Where its newest file came from.
    pub source: PluginSource,
    /// How far that file has come.
    pub state: PluginState,
    /// Why it was refused.
    pub reason: Option<String>,
    /// Of the newest file, where it could be read.
    pub digest: Option<Digest>,
    /// What the newest file says about itself, where that could be read.
    pub manifest: Option<Manifest>,
    /// What is in use under this id, if anything is.
    pub in_use: Option<Arc<Plugin>>,
}

/// Which plugins there are. Cheap to clone; all clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Plugins(Arc<RwLock<Registry>>);

#[derive(Debug, Default)]
struct Registry {
    /// By id, then by source, the strongest last.
    layers: BTreeMap<String, BTreeMap<PluginSource, Layer>>,
    grants: Grants,
    /// By plugin. One that is not there has the host's.
    limits: HashMap<String, PluginLimits>,
}

impl Registry {
    fn limits(&self, id: &str) -> PluginLimits {
        self.limits.get(id).copied().unwrap_or_default()
    }
}

/// What one source has for one id.
#[derive(Debug)]
struct Layer {
    state: PluginState,
    reason: Option<String>,
    digest: Option<Digest>,
    manifest: Option<Manifest>,
    /// The last good one.
    plugin: Option<Arc<Plugin>>,
    /// With which limits the newest file was looked at.
    limits: PluginLimits,
}

impl Plugins {
    fn read(&self) -> RwLockReadGuard<'_, Registry> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Registry> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts one in use under its own id, in place of an older one of the same
    /// source. What is in flight goes on with the older one.
    pub fn insert(&self, source: PluginSource, plugin: Arc<Plugin>) {
        let mut registry = self.write();
        let limits = registry.limits(plugin.id());
        // They may have changed since it was loaded.
        plugin.grant(limits);
        let layer = Layer {
            state: PluginState::Ready,
            reason: None,
            digest: Some(*plugin.digest()),
            manifest: Some(plugin.manifest().clone()),
            plugin: Some(plugin.clone()),
            limits,
        };
        registry.layers.entry(plugin.id().to_owned()).or_default().insert(source, layer);
    }

    /// Notes that a file is being looked at.
    fn note_compiling(
        &self,
        id: &str,
        source: PluginSource,
        digest: Option<Digest>,
        manifest: Manifest,
    ) {
        self.note(id, source, PluginState::Compiling, None, digest, Some(manifest));
    }

    /// Notes why a file was refused.
    fn note_refused(
        &self,
        id: &str,
        source: PluginSource,
        reason: String,
        digest: Option<Digest>,
        manifest: Option<Manifest>,
    ) {
        self.note(id, source, PluginState::Refused, Some(reason), digest, manifest);
    }

    fn note(
        &self,
        id: &str,
        source: PluginSource,
        state: PluginState,
        reason: Option<String>,
        digest: Option<Digest>,
        manifest: Option<Manifest>,
    ) {
        let mut registry = self.write();
        let limits = registry.limits(id);
        let layers = registry.layers.entry(id.to_owned()).or_default();
        let plugin = layers.get(&source).and_then(|layer| layer.plugin.clone());
        layers.insert(source, Layer { state, reason, digest, manifest, plugin, limits });
    }

    /// Whether a refused file is worth another look: its limits have changed.
    fn deserves_another_look(&self, id: &str, source: &PluginSource) -> bool {
        let registry = self.read();
        let layer = registry.layers.get(id).and_then(|layers| layers.get(source));
        layer.is_some_and(|layer| {
            layer.state == PluginState::Refused && layer.limits != registry.limits(id)
        })
    }

    /// Takes what one source has for an id out of use. What is in flight ends.
    fn remove(&self, id: &str, source: &PluginSource) {
        let mut registry = self.write();
        if let Some(layers) = registry.layers.get_mut(id) {
            layers.remove(source);
            if layers.is_empty() {
                registry.layers.remove(id);
            }
        }
    }

    /// The plugin of this kind with this id, ready to be called.
    pub fn get(&self, kind: Kind, id: &str) -> Option<Arc<Plugin>> {
        let registry = self.read();
        let layers = registry.layers.get(id)?;
        in_use(layers).filter(|plugin| plugin.kind() == kind).cloned()
    }

    /// Every plugin, in order of their ids.
    pub fn all(&self) -> Vec<PluginEntry> {
        self.read().layers.iter().filter_map(|(id, layers)| entry(id, layers)).collect()
    }

    /// One plugin.
    pub fn entry(&self, id: &str) -> Option<PluginEntry> {
        entry(id, self.read().layers.get(id)?)
    }

    /// The ids of a kind that are ready, in order.
    pub fn ids(&self, kind: Kind) -> Vec<String> {
        let registry = self.read();
        let ready = registry.layers.values().filter_map(in_use);
        ready.filter(|plugin| plugin.kind() == kind).map(|p| p.id().to_owned()).collect()
    }

    /// Whether another source than this has something ready for an id.
    fn has_other(&self, id: &str, source: &PluginSource) -> bool {
        let registry = self.read();
        let layers = registry.layers.get(id).into_iter().flatten();
        layers.filter(|(other, _)| *other != source).any(|(_, layer)| layer.plugin.is_some())
    }
}

fn in_use(layers: &BTreeMap<PluginSource, Layer>) -> Option<&Arc<Plugin>> {
    layers.values().rev().find_map(|layer| layer.plugin.as_ref())
}

fn entry(id: &str, layers: &BTreeMap<PluginSource, Layer>) -> Option<PluginEntry> {
    let (source, layer) = layers.last_key_value()?;
    Some(PluginEntry {
        id: id.to_owned(),
        source: source.clone(),
        state: layer.state,
        reason: layer.reason.clone(),
        digest: layer.digest,
        manifest: layer.manifest.clone(),
        in_use: in_use(layers).cloned(),
    })
}
