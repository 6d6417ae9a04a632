//! From a file's bytes to a plugin in the sandbox, in its turn.

use std::sync::Arc;

use alerts_package::{Digest, Manifest};
use alerts_sandbox::Plugin;
use bytes::Bytes;

use super::admin::PluginAdmin;
use super::admission::Starting;

impl PluginAdmin {
    /// Admits a file, off the async threads. The error is for people.
    pub(super) async fn load_plugin(
        &self,
        manifest: &Manifest,
        digest: Digest,
        wasm: Bytes,
        starting: Starting,
    ) -> Result<Arc<Plugin>, String> {
        manifest
            .judge_addresses(self.addresses())
            .map_err(|error| format!("the manifest is not valid: {error}"))?;
        let sandbox = self.sandbox().clone();
        let plugins = self.plugins();
        let is_compiled = sandbox.has_compiled(&digest);
        let _waited_for = starting.filter(|_| is_compiled);
        let _turn = match is_compiled {
            true => None,
            false => plugins.admissions().turn(wasm.len()).await,
        };
        let granted = plugins.granted_limits(&manifest.id);
        let loading = tokio::task::spawn_blocking(move || sandbox.load_with(&wasm, granted));
        match loading.await {
            Ok(loaded) => loaded.map_err(|refused| refused.to_string()),
            Err(_) => Err("the host failed while looking at it; see its log".to_owned()),
        }
    }
}
