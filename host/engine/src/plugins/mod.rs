//! The plugins in use, by id: where each came from, whether it is ready, and
//! who may use it.
//!
//! A plugin's id can have a file from each source, and the strongest one that
//! is ready is in use. So a file that is refused leaves the last good one in
//! its place, and one that is taken away uncovers what was there before.

pub(crate) mod admin;
mod admission;
mod builtin;
mod files;
pub(crate) mod folder;
mod grants;
mod limits;
mod loading;
mod upload;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use alerts_domain::plugin_limits::PluginLimits;
use alerts_domain::tenant::TenantId;
use alerts_domain::text;
use alerts_package::{Digest, Kind, Manifest};
use alerts_sandbox::Plugin;

use self::admission::Admissions;

/// By plugin, then by tenant. A plugin that is not there is open to everyone.
type Grants = HashMap<String, HashMap<TenantId, Option<Vec<String>>>>;

/// Longest reason for which a file is refused: it may quote the file, and stands
/// in memory, in answers and in the log.
const MAX_REASON_BYTES: usize = 4096;

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
pub struct Plugins(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    registry: RwLock<Registry>,
    admissions: Admissions,
    /// Held from the database to the registry by whatever changes both, so that
    /// what was read earlier is never put over what was written later.
    changing: tokio::sync::Mutex<()>,
}

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
        self.0.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Registry> {
        self.0.registry.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn admissions(&self) -> &Admissions {
        &self.0.admissions
    }

    /// Waits until every file that was found and is compiled already is in use.
    pub(crate) async fn compiled_ones_are_in(&self) {
        self.admissions().compiled_ones_are_in().await;
    }

    /// One change of database and registry at a time.
    async fn changing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.changing.lock().await
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

    /// Puts one in use that was noted as compiling, unless another file has taken
    /// its place since, or it was taken away. Says whether it did.
    fn insert_compiled(&self, source: PluginSource, plugin: Arc<Plugin>) -> bool {
        // The registry is not locked in between; the same file twice does no harm.
        let is_wanted = self.is_compiling(plugin.id(), &source, plugin.digest());
        if is_wanted {
            self.insert(source, plugin);
        }
        is_wanted
    }

    /// Notes that a file is being looked at.
    fn note_compiling(&self, id: &str, source: PluginSource, digest: Digest, manifest: Manifest) {
        self.note(id, source, PluginState::Compiling, None, Some(digest), Some(manifest));
    }

    /// Whether this very file is the newest of its source, and being looked at.
    fn is_compiling(&self, id: &str, source: &PluginSource, digest: &Digest) -> bool {
        let registry = self.read();
        let layer = registry.layers.get(id).and_then(|layers| layers.get(source));
        layer.is_some_and(|layer| {
            layer.state == PluginState::Compiling && layer.digest == Some(*digest)
        })
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
        let reason = text::kept(&reason, MAX_REASON_BYTES);
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
        let Some(layers) = registry.layers.get_mut(id) else { return };
        // Taking instances down takes time, in which nobody should wait.
        let removed = layers.remove(source);
        if layers.is_empty() {
            registry.layers.remove(id);
        }
        drop(registry);
        drop(removed);
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

#[cfg(test)]
mod tests {
    use alerts_sandbox::{Sandbox, SandboxConfig};

    use super::*;

    /// The built-in `http`, as a file of this version.
    fn loaded(version: &str) -> Arc<Plugin> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist/http.wasm");
        let wasm = std::fs::read(file).expect("`cargo xtask plugins` has made it");
        let mut manifest = alerts_package::read_manifest(&wasm).unwrap();
        manifest.version = version.to_owned();
        let wasm = alerts_package::pack(&wasm, &manifest).unwrap();
        Sandbox::new(SandboxConfig::default()).unwrap().load(&wasm).unwrap()
    }

    fn version(plugins: &Plugins) -> Option<String> {
        Some(plugins.get(Kind::Target, "http")?.manifest().version.clone())
    }

    #[test]
    fn a_file_that_was_replaced_or_taken_away_while_it_compiled_is_not_put_in_use() {
        let (first, second) = (loaded("1.0.0"), loaded("2.0.0"));
        let (plugins, source) = (Plugins::default(), PluginSource::Upload);
        let compile = |plugin: &Plugin| {
            let manifest = plugin.manifest().clone();
            plugins.note_compiling("http", source.clone(), *plugin.digest(), manifest);
        };
        compile(&first);
        compile(&second);
        assert!(plugins.insert_compiled(source.clone(), second.clone()));
        assert!(!plugins.insert_compiled(source.clone(), first.clone()), "it comes too late");
        assert_eq!(version(&plugins).as_deref(), Some("2.0.0"));

        compile(&first);
        assert_eq!(version(&plugins).as_deref(), Some("2.0.0"), "the last good one goes on");
        plugins.remove("http", &source);
        assert!(!plugins.insert_compiled(source, first));
        assert!(plugins.entry("http").is_none());
    }

    #[test]
    fn a_reason_is_kept_cut_whatever_file_it_quotes() {
        let plugins = Plugins::default();
        let reason = "no\0".to_owned() + &"x".repeat(1 << 20);
        plugins.note_refused("bad", PluginSource::Upload, reason, None, None);
        let kept = plugins.entry("bad").unwrap().reason.unwrap();
        assert!(kept.starts_with("no\u{fffd}x") && kept.len() <= MAX_REASON_BYTES);
    }
}
