//! What the database stands on, and how it is struck: a process that is killed on
//! this machine's disk, or a power cut on a disk that forgets.

use std::path::PathBuf;
use std::time::Duration;

use alerts_outside::Outcome;
use alerts_outside::host::{self, Host, free_address};
use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::kept::Kept;
use crate::mount::Mounted;

/// Where a host keeps its files.
enum Under {
    /// Keeps what a killed process has written.
    Folder(tempfile::TempDir),
    /// Forgets what nobody has synced.
    Forgetful(Mounted),
}

/// A database's place, and the address of the hosts that are started on it.
pub(crate) struct Ground {
    under: Under,
    /// The same for every start, so that the load finds its way back.
    pub(crate) address: String,
}

impl Ground {
    /// For hosts that are killed.
    pub(crate) fn folder() -> Outcome<Self> {
        Ok(Self { under: Under::Folder(host::folder()?), address: free_address()? })
    }

    /// For hosts whose power is cut.
    pub(crate) fn forgetful() -> Outcome<Self> {
        Ok(Self { under: Under::Forgetful(Mounted::new()?), address: free_address()? })
    }

    /// From now on its `fsync` is answered and does nothing.
    pub(crate) fn lie(&self) {
        if let Under::Forgetful(mounted) = &self.under {
            mounted.disk().set_sync_lies(true);
        }
    }

    /// One word for what happens to a host here.
    pub(crate) fn blow(&self) -> &'static str {
        match self.under {
            Under::Folder(_) => "kill",
            Under::Forgetful(_) => "power cut",
        }
    }

    /// The folder of the database, which the host makes.
    fn data(&self) -> PathBuf {
        match &self.under {
            Under::Folder(folder) => folder.path().join("data"),
            Under::Forgetful(mounted) => mounted.path().join("data"),
        }
    }

    /// Starts a host and waits until it is ready.
    pub(crate) async fn start(&self) -> Outcome<Host> {
        Host::run(host::command(&self.data(), &self.address)?, self.address.clone()).await
    }

    /// Starts a host and strikes it while it starts.
    pub(crate) async fn strike_at_start(&mut self, chance: &mut StdRng) -> Outcome {
        let mut command = host::command(&self.data(), &self.address)?;
        // It may find its disk gone, and say so.
        command.stderr(std::process::Stdio::null());
        let host = Host::spawn(command, self.address.clone())?;
        // A start takes about as long.
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..1500))).await;
        self.strike(host, Kept::ByChance, chance).await
    }

    /// Ends the host at once; on a disk that forgets, everything that it has not
    /// synced by then is at the mercy of chance.
    pub(crate) async fn strike(&mut self, host: Host, kept: Kept, chance: &mut StdRng) -> Outcome {
        if let Under::Forgetful(mounted) = &self.under {
            mounted.disk().cut_power();
        }
        host.kill().await?;
        if let Under::Forgetful(mounted) = &mut self.under {
            mounted.power_on(kept, chance)?;
        }
        Ok(())
    }
}
