//! The operator's folder: a `.wasm` file that is dropped in is loaded, one that
//! is replaced is swapped, one that is taken away is unloaded, all while the
//! host runs.
//!
//! Looked at once a second rather than watched: that works on every file system,
//! and a file counts only once it has stopped changing. A look names and reads
//! files one after another, so that of two with the same id the first one has it;
//! compiling goes on beside it.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use alerts_package::{Digest, Manifest, digest, read_manifest};
use bytes::Bytes;

use super::PluginSource;
use super::admin::PluginAdmin;
use super::files::{Files, Stamp};

/// What is known of a file since the last look.
#[derive(Debug, Default)]
struct Seen {
    /// None while it cannot be looked at.
    stamp: Option<Stamp>,
    /// The id it was last loaded under, by this version or an earlier one.
    id: Option<String>,
    /// Whether this version was looked at, and not only seen.
    is_loaded: bool,
    /// The id that another file has, for which this one waits.
    waits_for: Option<String>,
    /// Why it cannot be looked at.
    trouble: Option<String>,
}

/// A folder, and what was in it at the last look.
#[derive(Debug)]
pub(crate) struct PluginFolder {
    path: PathBuf,
    files: Files,
    seen: HashMap<PathBuf, Seen>,
}

/// What became of a file that was read.
struct Read {
    /// The id it has or, when it has none that can be read, the one it had before
    /// or the file's name.
    id: String,
    waits_for: Option<String>,
}

impl PluginFolder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, files: Files::default(), seen: HashMap::new() }
    }

    /// What is there now. A file that does not answer is there.
    async fn list(&mut self) -> io::Result<Vec<(PathBuf, io::Result<Stamp>)>> {
        let mut found = Vec::new();
        for path in self.files.list(&self.path).await? {
            match self.files.stamp(&path).await {
                Ok(Some(stamp)) => found.push((path, Ok(stamp))),
                // Gone since it was listed: not there.
                Ok(None) => {}
                Err(error) => found.push((path, Err(error))),
            }
        }
        Ok(found)
    }
}

impl PluginAdmin {
    /// Looks at the folder. At the `first` look every file counts as it is;
    /// later ones must have stood still since the look before. What is to be
    /// compiled is still at it when this returns.
    pub(crate) async fn look_at_folder(
        &self,
        folder: &mut PluginFolder,
        first: bool,
    ) -> io::Result<()> {
        let found = folder.list().await?;
        let is_there = |path: &PathBuf| found.iter().any(|(there, _)| there == path);
        let gone: Vec<_> = folder.seen.extract_if(|path, _| !is_there(path)).collect();
        for (path, seen) in gone {
            let Some(id) = seen.id else { continue };
            tracing::info!(plugin = id, path = %path.display(), "plugin file taken away");
            self.plugins().remove(&id, &PluginSource::Folder(path));
        }
        for (path, stamp) in found {
            let mut seen = folder.seen.remove(&path).unwrap_or_default();
            match stamp {
                Ok(stamp) => {
                    self.look_at_file(&mut folder.files, &path, stamp, &mut seen, first).await
                }
                Err(error) => self.note_trouble(&path, &error, &mut seen),
            }
            folder.seen.insert(path, seen);
        }
        Ok(())
    }

    async fn look_at_file(
        &self,
        files: &mut Files,
        path: &Path,
        stamp: Stamp,
        seen: &mut Seen,
        first: bool,
    ) {
        let stands_still = first || seen.stamp == Some(stamp);
        let source = PluginSource::Folder(path.to_owned());
        let is_known = seen.is_loaded && seen.stamp == Some(stamp) && {
            let (plugins, id) = (self.plugins(), seen.id.as_deref());
            let is_free = |id: &String| plugins.other_file(id, path).is_none();
            !seen.waits_for.as_ref().is_some_and(is_free)
                && !id.is_some_and(|id| plugins.deserves_another_look(id, &source))
        };
        if is_known {
            return;
        }
        (seen.stamp, seen.is_loaded, seen.trouble) = (Some(stamp), stands_still, None);
        if stands_still {
            let Read { id, waits_for } = self.read_file(files, path, seen.id.take()).await;
            (seen.id, seen.waits_for) = (Some(id), waits_for);
        }
    }

    /// Notes why a file cannot be looked at, once. What it had in use stays.
    fn note_trouble(&self, path: &Path, error: &io::Error, seen: &mut Seen) {
        let trouble = error.to_string();
        // When it can be looked at again, it is looked at as if it were new.
        seen.is_loaded = false;
        if seen.trouble.as_ref() != Some(&trouble) {
            let id = seen.id.get_or_insert_with(|| name(path));
            self.refuse_file(path, id, format!("it cannot be read: {trouble}"), None, None);
            seen.trouble = Some(trouble);
        }
    }

    fn refuse_file(
        &self,
        path: &Path,
        id: &str,
        reason: String,
        digest: Option<Digest>,
        manifest: Option<Manifest>,
    ) {
        tracing::error!(path = %path.display(), plugin = id, reason, "plugin file refused");
        let source = PluginSource::Folder(path.to_owned());
        self.plugins().note_refused(id, source, reason, digest, manifest);
    }

    /// Reads a file and has it admitted, which goes on when this returns.
    async fn read_file(&self, files: &mut Files, path: &Path, old: Option<String>) -> Read {
        let source = PluginSource::Folder(path.to_owned());
        let wasm = match files.read(path, self.sandbox().max_file_bytes()).await {
            Ok(wasm) => Bytes::from(wasm),
            Err(error) => {
                let id = old.unwrap_or_else(|| name(path));
                self.refuse_file(path, &id, format!("it cannot be read: {error}"), None, None);
                return Read { id, waits_for: None };
            }
        };
        let digest = digest(&wasm);
        let manifest = match read_manifest(&wasm) {
            Ok(manifest) => manifest,
            Err(error) => {
                let id = old.unwrap_or_else(|| name(path));
                self.refuse_file(path, &id, error.to_string(), Some(digest), None);
                return Read { id, waits_for: None };
            }
        };
        let id = manifest.id.clone();
        if let Some(old) = old.filter(|old| *old != id) {
            self.plugins().remove(&old, &source);
        }
        if let Some(other) = self.plugins().other_file(&id, path) {
            let reason =
                format!("the id `{id}` is taken by {}; keep one of the two files", other.display());
            // Under its own name, so that the good file's entry stays as it is.
            let shown = name(path);
            self.refuse_file(path, &shown, reason, Some(digest), Some(manifest));
            return Read { id: shown, waits_for: Some(id) };
        }
        self.plugins().note_compiling(&id, source.clone(), digest, manifest.clone());
        let (admin, path, starting) =
            (self.clone(), path.to_owned(), self.plugins().admissions().starting());
        tokio::spawn(async move {
            let id = manifest.id.clone();
            match admin.load_plugin(&manifest, digest, wasm, starting).await {
                Ok(plugin) => {
                    if admin.plugins().insert_compiled(source, plugin) {
                        tracing::info!(plugin = id, %digest, path = %path.display(), "plugin loaded");
                    }
                }
                Err(reason) if admin.plugins().is_compiling(&id, &source, &digest) => {
                    admin.refuse_file(&path, &id, reason, Some(digest), Some(manifest));
                }
                // Taken away or replaced meanwhile.
                Err(_) => {}
            }
        });
        Read { id, waits_for: None }
    }
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
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
