//! A throwaway Postgres server. Owns its files and its process; knows nothing
//! of what is stored in it.

use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::URL_VARIABLE;

/// Why there is no Postgres to test with.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No server programs on this machine.
    #[error(
        "no `initdb` and `pg_ctl` in PATH or /usr/lib/postgresql/*/bin; install `postgresql`, or \
         set {URL_VARIABLE} to a server on which tests may create databases"
    )]
    NotInstalled,
    /// A server program did not do what it was asked to.
    #[error("`{program}` failed: {output}")]
    Failed {
        /// Which, with its path.
        program: String,
        /// What it printed.
        output: String,
    },
    /// A folder, a port or a process could not be had.
    #[error("the throwaway Postgres could not be set up: {0}")]
    Io(#[from] io::Error),
}

/// A running server with its files in a temporary folder. Stopped and removed
/// on drop, and also when this process ends without dropping it.
#[derive(Debug)]
pub struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    syncs: bool,
    guardian: Option<Child>,
}

impl Cluster {
    /// Makes a cluster and starts it on a free port of the loopback address. It is
    /// as quick as it can be: it would not survive a power cut.
    pub fn start() -> Result<Self, StartError> {
        Self::make(false)
    }

    /// The same with commits that are on the disk, for what measures them.
    pub fn start_durable() -> Result<Self, StartError> {
        Self::make(true)
    }

    fn make(syncs: bool) -> Result<Self, StartError> {
        let programs = find_programs().ok_or(StartError::NotInstalled)?;
        let folder = tempfile::Builder::new().prefix("alerts-postgres-").tempdir()?.keep();
        let mut cluster = Self { programs, folder, port: free_port()?, syncs, guardian: None };
        if is_root() {
            // The server refuses to run as root.
            expect_success(Command::new("chown").arg("postgres").arg(&cluster.folder))?;
        }
        cluster.guardian = Some(cluster.guard()?);
        expect_success(
            cluster
                .command("initdb")
                .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])
                // Nothing outlives this cluster, so there is no need to have it on disk.
                .arg("--no-sync")
                .arg("--pgdata")
                .arg(cluster.data()),
        )?;
        cluster.start_server()?;
        Ok(cluster)
    }

    /// Starts the server on this cluster's files.
    pub fn start_server(&self) -> Result<(), StartError> {
        let settings = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
             -c fsync={} -c max_connections={MAX_CONNECTIONS}",
            self.port,
            if self.syncs { "on" } else { "off" },
        );
        expect_success(
            self.command("pg_ctl")
                .args(["start", "--wait", "--silent", "--options", &settings])
                .arg("--log")
                .arg(self.folder.join("log"))
                .arg("--pgdata")
                .arg(self.data()),
        )
    }

    /// Stops the server as a crash would; its files stay.
    pub fn stop_server(&self) -> Result<(), StartError> {
        expect_success(
            self.command("pg_ctl")
                .args(["stop", "--mode", "immediate", "--silent", "--pgdata"])
                .arg(self.data()),
        )
    }

    /// Where tests connect to make their databases; the value for [`URL_VARIABLE`].
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// One of the server's programs, run as a user that it accepts.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        // The server's user may not be allowed to enter the folder tests run in.
        command.current_dir("/");
        command
    }

    /// A shell that waits for its input to end, which the death of this process
    /// brings about however it comes, and then stops the server and removes its files.
    fn guard(&self) -> io::Result<Child> {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "--mode", "immediate", "--silent", "--pgdata"]).arg(self.data());
        Command::new("sh")
            .arg("-c")
            .arg(r#"cat >/dev/null; "$@"; rm -rf "$0""#)
            .arg(&self.folder)
            .arg(stop.get_program())
            .args(stop.get_args())
            .current_dir("/")
            // What interrupts or kills the tests must not reach it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }
}

/// Each test's process opens a few pools, and many run at once.
const MAX_CONNECTIONS: u32 = 300;

impl Drop for Cluster {
    fn drop(&mut self) {
        // Closes its input, and waits until all is gone. Too late to do
        // anything about a failure.
        match &mut self.guardian {
            Some(guardian) => drop(guardian.wait()),
            None => drop(std::fs::remove_dir_all(&self.folder)),
        }
    }
}

/// The folder that holds `initdb` and `pg_ctl`: the newest of Debian's, else what PATH has.
fn find_programs() -> Option<PathBuf> {
    let has_both =
        |folder: &Path| ["initdb", "pg_ctl"].iter().all(|name| folder.join(name).exists());
    let version = |folder: &PathBuf| {
        let version = folder.parent().and_then(|parent| parent.file_name());
        version.and_then(|name| name.to_str()?.parse::<u32>().ok())
    };
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin")).filter(|bin| has_both(bin));
    debian.max_by_key(version).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| has_both(folder))
    })
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn is_root() -> bool {
    let uid = Command::new("id").arg("-u").output();
    uid.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn expect_success(command: &mut Command) -> Result<(), StartError> {
    let Output { status, stdout, stderr } = command.output()?;
    if status.success() {
        return Ok(());
    }
    let program = command
        .get_args()
        .fold(command.get_program().to_string_lossy().into_owned(), |shown, arg| {
            shown + " " + &arg.to_string_lossy()
        });
    let output = [stdout, stderr].concat();
    Err(StartError::Failed { program, output: String::from_utf8_lossy(&output).trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_gone_when_it_is_dropped() {
        let cluster = Cluster::start().unwrap();
        let (folder, port) = (cluster.folder.clone(), cluster.port);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        drop(cluster);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
