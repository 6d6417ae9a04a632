//! The loop that follows the plugin folder, and what other hosts do to plugins.

use std::time::Duration;

use alerts_store::StoreError;

use super::POLL;
use super::supervisor::{BackgroundLoop, Pulse};
use crate::plugins::admin::PluginAdmin;
use crate::plugins::folder::PluginFolder;

/// Follows what changes about plugins, wherever it comes from.
pub(crate) struct PluginLoop {
    pub(crate) admin: PluginAdmin,
    pub(crate) folder: Option<PluginFolder>,
    /// Whether there may be other hosts.
    pub(crate) is_shared: bool,
}

impl PluginLoop {
    async fn follow_hosts(&self) -> Result<(), StoreError> {
        self.admin.follow_grants().await?;
        self.admin.follow_limits().await?;
        self.admin.follow_uploads().await
    }
}

impl BackgroundLoop for PluginLoop {
    const NAME: &'static str = "plugins";
    /// Compiling goes on beside it, but a folder may have many files on a slow mount,
    /// and each is waited for by itself.
    const SILENT_AFTER: Duration = Duration::from_secs(600);
    const RESTS_FIRST: bool = true;

    async fn round(&mut self, _: &Pulse) {
        if let Some(folder) = &mut self.folder
            && let Err(error) = self.admin.look_at_folder(folder, false).await
        {
            tracing::error!(%error, "the plugin folder cannot be read; trying again");
        }
        if self.is_shared
            && let Err(error) = self.follow_hosts().await
        {
            tracing::error!(%error, "other hosts' plugins could not be read; trying again");
        }
    }

    async fn rest(&mut self) {
        // By the machine's clock: files do not follow one that tests move.
        tokio::time::sleep(POLL).await;
    }
}
