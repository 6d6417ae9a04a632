//! The operator's folder: a `.wasm` file that is dropped in is loaded, one that
//! is replaced is swapped, one that is taken away is unloaded, all while the
//! host runs.
//!
//! Looked at once a second rather than watched: that works on every file system,
//! and a file counts only once it has stopped changing.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use alerts_package::{digest, read_manifest};
use bytes::Bytes;

use super::PluginSource;
use super::admin::PluginAdmin;

/// What tells one version of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    /// The id it was last loaded under, by this version or an earlier one.
    id: Option<String>,
    /// Whether this version was looked at, and not only seen.
    is_loaded: bool,
}

/// A folder, and what was in it at the last look.
#[derive(Debug)]
pub(crate) struct PluginFolder {
    path: PathBuf,
    seen: HashMap<PathBuf, Seen>,
}

impl PluginFolder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, seen: HashMap::new() }
    }

    fn list(&self) -> io::Result<HashMap<PathBuf, Stamp>> {
        let mut found = HashMap::new();
        for entry in std::fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.extension().is_none_or(|end| end != "wasm") {
                continue;
            }
            // Gone since it was listed: not there.
            let Ok(metadata) = std::fs::metadata(&path) else { continue };
            let stamp = Stamp { modified: metadata.modified()?, bytes: metadata.len() };
            found.insert(path, stamp);
        }
        Ok(found)
    }
}

impl PluginAdmin {
    /// Looks at the folder. At the `first` look every file counts as it is;
    /// later ones must have stood still since the look before.
    pub(crate) async fn look_at_folder(
        &self,
        folder: &mut PluginFolder,
        first: bool,
    ) -> io::Result<()> {
        let found = folder.list()?;
        let gone: Vec<PathBuf> =
            folder.seen.keys().filter(|path| !found.contains_key(*path)).cloned().collect();
        for path in gone {
            if let Some(Seen { id: Some(id), .. }) = folder.seen.remove(&path) {
                tracing::info!(plugin = id, path = %path.display(), "plugin file taken away");
                self.plugins().remove(&id, &PluginSource::Folder(path));
            }
        }
        let mut paths: Vec<(PathBuf, Stamp)> = found.into_iter().collect();
        paths.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, stamp) in paths {
            let seen = folder.seen.get(&path);
            let stands_still = first || seen.is_some_and(|seen| seen.stamp == stamp);
            let loaded = seen.filter(|seen| seen.is_loaded && seen.stamp == stamp);
            let known = loaded.and_then(|seen| seen.id.as_ref());
            let source = PluginSource::Folder(path.clone());
            if known.is_some_and(|id| !self.plugins().deserves_another_look(id, &source)) {
                continue;
            }
            let old = seen.and_then(|seen| seen.id.clone());
            let id = if stands_still { Some(self.load_file(&path, old).await) } else { old };
            folder.seen.insert(path, Seen { stamp, id, is_loaded: stands_still });
        }
        Ok(())
    }

    /// Loads a file and answers with the id it has or, when it has none that
    /// can be read, with the one it had before or the file's name.
    async fn load_file(&self, path: &Path, old: Option<String>) -> String {
        let source = PluginSource::Folder(path.to_owned());
        let name = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let refuse = |id: &str, reason: String, digest, manifest| {
            tracing::error!(path = %path.display(), plugin = id, reason, "plugin file refused");
            self.plugins().note_refused(id, source.clone(), reason, digest, manifest);
        };
        let wasm = match read(path, self.sandbox().max_file_bytes()) {
            Ok(wasm) => Bytes::from(wasm),
            Err(error) => {
                let id = old.unwrap_or_else(name);
                refuse(&id, format!("it cannot be read: {error}"), None, None);
                return id;
            }
        };
        let digest = digest(&wasm);
        let manifest = match read_manifest(&wasm) {
            Ok(manifest) => manifest,
            Err(error) => {
                let id = old.unwrap_or_else(name);
                refuse(&id, error.to_string(), Some(digest), None);
                return id;
            }
        };
        let id = manifest.id.clone();
        if old.as_ref().is_some_and(|old| *old != id) {
            self.plugins().remove(&old.unwrap_or_default(), &source);
        }
        if let Some(other) = self.plugins().other_file(&id, path) {
            let reason =
                format!("the id `{id}` is taken by {}; keep one of the two files", other.display());
            // Under its own name, so that the good file's entry stays as it is.
            let shown = name();
            refuse(&shown, reason, Some(digest), Some(manifest));
            return shown;
        }
        self.plugins().note_compiling(&id, source.clone(), Some(digest), manifest.clone());
        match self.load_plugin(&id, wasm).await {
            Ok(plugin) => {
                tracing::info!(plugin = id, %digest, path = %path.display(), "plugin loaded");
                self.plugins().insert(source, plugin);
            }
            Err(reason) => refuse(&id, reason, Some(digest), Some(manifest)),
        }
        id
    }
}

impl super::Plugins {
    /// Another file of the folder that has this id.
    fn other_file(&self, id: &str, path: &Path) -> Option<PathBuf> {
        let registry = self.read();
        registry.layers.get(id)?.keys().find_map(|source| match source {
            PluginSource::Folder(other) if other != path => Some(other.clone()),
            _ => None,
        })
    }
}

/// A file's bytes, one more at most than any sandbox takes: enough for it to say
/// that the file is too large.
fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
