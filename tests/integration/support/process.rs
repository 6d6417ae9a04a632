//! A host in a process of its own, which can be killed.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::support::api::{Api, KEY};
use crate::support::eventually;

/// The program that `cargo xtask test` has built.
pub(crate) fn binary() -> PathBuf {
    // target/debug/deps/integration-… → target/debug/exosphere-alerts
    let deps = std::env::current_exe().unwrap();
    deps.parent().unwrap().with_file_name("exosphere-alerts")
}

pub(crate) struct HostProcess {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl HostProcess {
    /// Starts a host on the database in `folder` and waits until it is ready.
    pub(crate) async fn start(folder: &Path, address: Option<SocketAddr>) -> Self {
        Self::start_with(command(folder), address.unwrap_or_else(free_address)).await
    }

    /// Starts a host with these settings and waits until it is ready.
    pub(crate) async fn start_with(command: Command, address: SocketAddr) -> Self {
        let host = Self::spawn(command, address);
        let api = host.api("nobody");
        eventually("a host that is ready", async || {
            let ready = api.try_send(reqwest::Method::GET, "/readyz", None).await;
            ready.ok().filter(|answer| answer.status == 200)
        })
        .await;
        host
    }

    /// Starts a host with these settings.
    pub(crate) fn spawn(mut command: Command, address: SocketAddr) -> Self {
        let process = command
            .env("ALERTS_LISTEN", address.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { address, process }
    }

    pub(crate) fn api(&self, tenant: &str) -> Api {
        Api::new(self.address, tenant)
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM, and how it ends.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let sent = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(sent.success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `serve` with settings for a test.
pub(crate) fn command(folder: &Path) -> Command {
    command_of(&binary(), folder)
}

/// The same of a copy of the program.
pub(crate) fn command_of(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("serve")
        .env("ALERTS_DATABASE_URL", format!("sqlite://{}", folder.join("alerts.db").display()))
        .env("ALERTS_ALLOW_TARGETS", "127.0.0.0/8")
        .env("ALERTS_BOOTSTRAP_KEY", KEY)
        .env("ALERTS_LOG", "error")
        .current_dir(folder);
    command
}

/// Runs a command that is expected to end by itself.
pub(crate) fn ended(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// What a command that succeeded has printed.
#[track_caller]
pub(crate) fn well(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a command that failed has complained of.
#[track_caller]
pub(crate) fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
