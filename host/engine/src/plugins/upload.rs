//! Plugins that come over the API: admitted in the background, kept in the
//! database so that every host has them, and taken away again.

use alerts_domain::problem::FieldError;
use alerts_package::{Digest, digest, read_manifest};
use alerts_store::{StoreError, UploadedPlugin};
use bytes::Bytes;
use serde_json::json;

use super::admin::PluginAdmin;
use super::{PluginEntry, PluginSource, PluginState};
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
        let refused = |detail: String| ChangeError::Invalid(vec![FieldError::new("", detail)]);
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
        self.plugins().note_compiling(&id, PluginSource::Upload, Some(digest), manifest);
        let (engine, actor) = (self.clone(), actor.clone());
        let uploaded = id.clone();
        tokio::spawn(async move { engine.admit_upload(&actor, uploaded, wasm, digest).await });
        self.plugins().entry(&id).ok_or(ChangeError::NotFound("plugin"))
    }

    async fn admit_upload(&self, actor: &Actor, id: String, wasm: Bytes, digest: Digest) {
        let kept = match self.load_plugin(&id, wasm.clone()).await {
            Ok(plugin) => {
                let uploaded = UploadedPlugin {
                    id: id.clone(),
                    digest: digest.to_string(),
                    uploaded_by: actor.name.clone(),
                    uploaded_at: self.clock().now(),
                };
                // On the disk first: what a host uses it has after a restart too.
                let kept = self.store().put_plugin(&uploaded, &wasm).await;
                kept.map(|()| plugin).map_err(|error| error.to_string())
            }
            Err(refused) => Err(refused),
        };
        match kept {
            Ok(plugin) => {
                self.plugins().insert(PluginSource::Upload, plugin);
                let detail = json!({"digest": digest.to_string()});
                if let Err(error) =
                    self.note_plugin_change(actor, "plugin.uploaded", &id, detail).await
                {
                    tracing::error!(plugin = id, %error, "upload not written into the audit log");
                }
            }
            Err(reason) => {
                tracing::warn!(plugin = id, %digest, reason, "uploaded plugin refused");
                let manifest = read_manifest(&wasm).ok();
                let source = PluginSource::Upload;
                self.plugins().note_refused(&id, source, reason, Some(digest), manifest);
            }
        }
    }

    /// Takes an uploaded plugin away. One that endpoints or rules use is kept
    /// unless `force`: then their deliveries wait, and are not lost.
    pub async fn remove_plugin(
        &self,
        actor: &Actor,
        id: &str,
        force: bool,
    ) -> Result<(), ChangeError> {
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
        self.store().delete_plugin(id).await?;
        self.plugins().remove(id, &PluginSource::Upload);
        let detail = json!({"forced": force, "uses": uses});
        self.note_plugin_change(actor, "plugin.removed", id, detail).await?;
        Ok(())
    }

    /// Brings this host to the uploads that the database has: at the start, and
    /// when another host has changed them.
    pub(crate) async fn follow_uploads(&self) -> Result<(), StoreError> {
        let uploads = self.store().list_plugins().await?;
        for uploaded in &uploads {
            let (id, source) = (&uploaded.id, PluginSource::Upload);
            let known = self.plugins().digest_of(id, &source);
            if known.is_some_and(|known| known.to_string() == uploaded.digest)
                && !self.plugins().deserves_another_look(id, &source)
            {
                continue;
            }
            let Some(wasm) = self.store().get_plugin_file(&uploaded.id).await? else { continue };
            let manifest = read_manifest(&wasm).ok();
            match self.load_plugin(id, wasm.into()).await {
                Ok(plugin) => self.plugins().insert(source, plugin),
                Err(reason) => {
                    tracing::error!(plugin = uploaded.id, reason, "stored plugin refused");
                    let digest = uploaded.digest.parse().ok();
                    self.plugins().note_refused(id, source, reason, digest, manifest);
                }
            }
        }
        for id in self.plugins().uploaded_and_ready() {
            if !uploads.iter().any(|uploaded| uploaded.id == id) {
                self.plugins().remove(&id, &PluginSource::Upload);
            }
        }
        Ok(())
    }

    /// Admits a file, off the async threads. The error is for people.
    pub(super) async fn load_plugin(
        &self,
        id: &str,
        wasm: Bytes,
    ) -> Result<std::sync::Arc<alerts_sandbox::Plugin>, String> {
        let (sandbox, granted) = (self.sandbox().clone(), self.plugins().granted_limits(id));
        let loading = tokio::task::spawn_blocking(move || sandbox.load_with(&wasm, granted));
        match loading.await {
            Ok(loaded) => loaded.map_err(|refused| refused.to_string()),
            Err(_) => Err("the host failed while looking at it; see its log".to_owned()),
        }
    }
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
