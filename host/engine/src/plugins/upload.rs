//! Plugins that come over the API: admitted in the background, kept in the
//! database so that every host has them, and taken away again.

use alerts_domain::text;
use alerts_package::{Digest, Manifest, digest, read_manifest};
use alerts_store::{AuditEntry, OperatorChange, StoreError, UploadedPlugin};
use bytes::Bytes;
use serde_json::{Value, json};

use super::admin::PluginAdmin;
use super::{MAX_REASON_BYTES, PluginEntry, PluginSource, PluginState};
use crate::actor::Actor;
use crate::error::ChangeError;

impl PluginAdmin {
    /// Takes a plugin file in. Answers once it is known which plugin it is; the
    /// entry tells later whether it was admitted. With `replace`, another file
    /// with the same id is replaced, once this one is ready.
    pub fn upload_plugin(
        &self,
        actor: &Actor,
        wasm: Bytes,
        replace: bool,
    ) -> Result<PluginEntry, ChangeError> {
        let refused =
            |detail: String| ChangeError::field("", text::kept(&detail, MAX_REASON_BYTES));
        let limit = self.sandbox().max_file_bytes();
        if wasm.len() > limit {
            let bytes = wasm.len();
            return Err(refused(format!(
                "the file is {bytes} bytes; at most {limit} are accepted: strip debug information, \
                 or have the operator raise ALERTS_PLUGIN_FILE_MIB"
            )));
        }
        let manifest = read_manifest(&wasm).map_err(|error| refused(error.to_string()))?;
        let (id, digest) = (manifest.id.clone(), digest(&wasm));
        if let Some(known) = self.plugins().entry(&id)
            && known.state != PluginState::Refused
            && known.digest != Some(digest)
            && !replace
        {
            return Err(ChangeError::Conflict(format!(
                "there is a plugin `{id}` already, from another file; add `?replace=true` to \
                 replace it once this file is ready"
            )));
        }
        self.plugins().note_compiling(&id, PluginSource::Upload, digest, manifest.clone());
        let (admin, actor) = (self.clone(), actor.clone());
        tokio::spawn(async move { admin.admit_upload(&actor, manifest, wasm, digest).await });
        self.plugins().entry(&id).ok_or(ChangeError::NotFound("plugin"))
    }

    async fn admit_upload(&self, actor: &Actor, manifest: Manifest, wasm: Bytes, digest: Digest) {
        let (id, source) = (manifest.id.clone(), PluginSource::Upload);
        let loaded = self.load_plugin(&manifest, digest, wasm.clone(), None).await;
        let changing = self.plugins().changing().await;
        if !self.plugins().is_compiling(&id, &source, &digest) {
            tracing::info!(plugin = id, %digest, "upload given up: it was replaced or taken away");
            return;
        }
        let kept = match loaded {
            // On the disk first: what a host uses it has after a restart too.
            Ok(plugin) => match self.keep_upload(actor, &id, digest, &wasm).await {
                Ok(()) => Ok(plugin),
                Err(error) => Err(error.to_string()),
            },
            Err(refused) => Err(refused),
        };
        match kept {
            Ok(plugin) => self.plugins().insert(source, plugin),
            Err(reason) => {
                tracing::warn!(plugin = id, %digest, reason, "uploaded plugin refused");
                self.plugins().note_refused(&id, source, reason, Some(digest), Some(manifest));
            }
        }
        drop(changing);
    }

    async fn keep_upload(
        &self,
        actor: &Actor,
        id: &str,
        digest: Digest,
        wasm: &[u8],
    ) -> Result<(), StoreError> {
        let at = self.clock().now();
        let uploaded = UploadedPlugin {
            id: id.to_owned(),
            digest: digest.to_string(),
            uploaded_by: actor.name.clone(),
            uploaded_at: at,
        };
        let entry = noted(actor, "plugin.uploaded", id, json!({"digest": digest.to_string()}));
        let by = OperatorChange { tenant: &actor.tenant, entry: &entry, at };
        self.store().put_plugin(&uploaded, wasm, &by).await
    }

    /// Takes an uploaded plugin away. One that endpoints or rules use is kept
    /// unless `force`: then their deliveries wait, and are not lost.
    pub async fn remove_plugin(
        &self,
        actor: &Actor,
        id: &str,
        force: bool,
    ) -> Result<(), ChangeError> {
        let _changing = self.plugins().changing().await;
        let entry = self.plugins().entry(id).ok_or(ChangeError::NotFound("plugin"))?;
        let is_refused =
            entry.state == PluginState::Refused && entry.source == PluginSource::Upload;
        let uploads = self.store().list_plugins().await?;
        let is_uploaded = uploads.iter().any(|uploaded| uploaded.id == id);
        if !is_uploaded && !is_refused {
            let place = match entry.source {
                PluginSource::Folder(path) => format!("take the file {} away", path.display()),
                _ => "it is part of this host; keep tenants from it with grants".to_owned(),
            };
            return Err(ChangeError::Conflict(format!("plugin `{id}` was not uploaded: {place}")));
        }
        let uses = self.store().uses_of_plugin(id).await?;
        if uses > 0 && !force && !self.plugins().has_other(id, &PluginSource::Upload) {
            return Err(ChangeError::Conflict(format!(
                "plugin `{id}` is used by {uses} endpoints and rules; change those, or add \
                 `?force=true`: their deliveries then wait until it is back"
            )));
        }
        let entry = noted(actor, "plugin.removed", id, json!({"forced": force, "uses": uses}));
        let by = OperatorChange { tenant: &actor.tenant, entry: &entry, at: self.clock().now() };
        self.store().delete_plugin(id, &by).await?;
        self.plugins().remove(id, &PluginSource::Upload);
        Ok(())
    }

    /// Brings this host to the uploads that the database has: at the start, and
    /// when another host has changed them. What is to be compiled is still at it
    /// when this returns.
    pub(crate) async fn follow_uploads(&self) -> Result<(), StoreError> {
        let _changing = self.plugins().changing().await;
        let uploads = self.store().list_plugins().await?;
        for uploaded in &uploads {
            let (id, source) = (&uploaded.id, PluginSource::Upload);
            let known = self.plugins().digest_of(id, &source);
            if known.is_some_and(|known| known.to_string() == uploaded.digest)
                && !self.plugins().deserves_another_look(id, &source)
            {
                continue;
            }
            if let Some(wasm) = self.store().get_plugin_file(id).await? {
                self.follow_upload(id, wasm.into());
            }
        }
        for id in self.plugins().uploaded_and_ready() {
            if !uploads.iter().any(|uploaded| uploaded.id == id) {
                self.plugins().remove(&id, &PluginSource::Upload);
            }
        }
        Ok(())
    }

    /// Has a file admitted that the database has.
    fn follow_upload(&self, id: &str, wasm: Bytes) {
        let (source, digest) = (PluginSource::Upload, digest(&wasm));
        let refuse = move |admin: &Self, id: &str, reason: String, manifest| {
            tracing::error!(plugin = id, %digest, reason, "stored plugin refused");
            admin.plugins().note_refused(id, PluginSource::Upload, reason, Some(digest), manifest);
        };
        let manifest = match read_manifest(&wasm) {
            Ok(manifest) => manifest,
            Err(error) => return refuse(self, id, error.to_string(), None),
        };
        self.plugins().note_compiling(id, source.clone(), digest, manifest.clone());
        let (admin, starting) = (self.clone(), self.plugins().admissions().starting());
        tokio::spawn(async move {
            match admin.load_plugin(&manifest, digest, wasm, starting).await {
                Ok(plugin) => drop(admin.plugins().insert_compiled(source, plugin)),
                Err(reason) if admin.plugins().is_compiling(&manifest.id, &source, &digest) => {
                    let id = manifest.id.clone();
                    refuse(&admin, &id, reason, Some(manifest));
                }
                // Taken away or replaced meanwhile.
                Err(_) => {}
            }
        });
    }
}

/// What stands in the log of the tenant that the operator's key acts for.
pub(super) fn noted(actor: &Actor, action: &'static str, id: &str, detail: Value) -> AuditEntry {
    tracing::info!(plugin = id, actor = actor.name, action, %detail, "changing plugins");
    actor.does(action, id, detail)
}

impl super::Plugins {
    fn digest_of(&self, id: &str, source: &PluginSource) -> Option<Digest> {
        self.read().layers.get(id)?.get(source)?.digest
    }

    /// Ids whose upload is in use; what is still compiling is in no database yet.
    fn uploaded_and_ready(&self) -> Vec<String> {
        let registry = self.read();
        let ready = registry.layers.iter().filter(|(_, layers)| {
            let upload = layers.get(&PluginSource::Upload);
            upload.is_some_and(|layer| layer.state == PluginState::Ready)
        });
        ready.map(|(id, _)| id.clone()).collect()
    }
}
