//! The plugins inside the binary. They are admitted as any other file: a start waits
//! for what is compiled already, and the rest compiles while the host serves.

use alerts_package::{digest, read_manifest};
use bytes::Bytes;

use super::admin::PluginAdmin;
use super::{PluginSource, PluginState, Plugins};
use crate::health::Trouble;

impl PluginAdmin {
    /// Has the files admitted, side by side. What is to be compiled is still at it when
    /// this returns.
    pub(crate) fn admit_builtin(&self, files: &'static [(&'static str, &'static [u8])]) {
        for (name, wasm) in files {
            let (wasm, digest) = (Bytes::from_static(wasm), digest(wasm));
            let refuse = move |admin: &Self, id: &str, reason: String, manifest| {
                tracing::error!(plugin = id, %digest, reason, "built-in plugin refused");
                let source = PluginSource::BuiltIn;
                admin.plugins().note_refused(id, source, reason, Some(digest), manifest);
            };
            let manifest = match read_manifest(&wasm) {
                Ok(manifest) => manifest,
                Err(error) => {
                    refuse(self, name, error.to_string(), None);
                    continue;
                }
            };
            let id = manifest.id.clone();
            self.plugins().note_compiling(&id, PluginSource::BuiltIn, digest, manifest.clone());
            let (admin, starting) = (self.clone(), self.plugins().admissions().starting());
            tokio::spawn(async move {
                match admin.load_plugin(&manifest, digest, wasm, starting).await {
                    Ok(plugin) => {
                        admin.plugins().insert(PluginSource::BuiltIn, plugin);
                        tracing::debug!(plugin = id, "built-in plugin in use");
                    }
                    Err(reason) => refuse(&admin, &id, reason, Some(manifest)),
                }
            });
        }
    }
}

impl Plugins {
    /// The built-in ones that are being compiled.
    pub fn awaited(&self) -> Vec<String> {
        let ids = self.all().into_iter().map(|entry| entry.id);
        ids.filter(|id| self.is_awaited(id)).collect()
    }

    /// Whether nothing is in use under this id yet, and a file of it is being compiled.
    pub(crate) fn is_awaited(&self, id: &str) -> bool {
        let entry = self.entry(id).filter(|entry| entry.in_use.is_none());
        entry.is_some_and(|entry| entry.state == PluginState::Compiling)
    }

    /// What this host brings with it and cannot use: it is not compiled yet, or was
    /// refused.
    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        let missing = self
            .all()
            .into_iter()
            .filter(|entry| entry.source == PluginSource::BuiltIn && entry.in_use.is_none());
        missing.map(|entry| Trouble::NoPlugin { id: entry.id, reason: entry.reason }).collect()
    }
}
