//! `with-postgres COMMAND…`: runs a command with a Postgres for tests, so that
//! a run of many test processes shares one server.

#![expect(clippy::print_stderr, reason = "a command line for developers")]

use std::process::{Command, ExitCode};

use alerts_test_support::postgres::{Cluster, StartError, URL_VARIABLE};

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let Some(program) = args.next() else {
        eprintln!("usage: with-postgres COMMAND [ARGUMENT…]");
        return ExitCode::FAILURE;
    };
    let mut command = Command::new(program);
    command.args(args);

    // Held until the command has ended.
    let mut cluster = None;
    if std::env::var_os(URL_VARIABLE).is_none() {
        match start() {
            Ok(started) => command.env(URL_VARIABLE, cluster.insert(started).url()),
            Err(error) => {
                eprintln!("with-postgres: {error}");
                return ExitCode::FAILURE;
            }
        };
    }
    let status = command.status();
    drop(cluster);
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("with-postgres: cannot start {:?}: {error}", command.get_program());
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<Cluster, StartError> {
    match Cluster::start() {
        Err(StartError::NotInstalled) if install() => Cluster::start(),
        other => other,
    }
}

/// Works for root on Debian; otherwise the error says what to install.
fn install() -> bool {
    eprintln!("with-postgres: installing postgresql with apt-get");
    let apt_get = |args: &[&str]| {
        let mut apt_get = Command::new("apt-get");
        apt_get.env("DEBIAN_FRONTEND", "noninteractive").args(args);
        apt_get.status().is_ok_and(|status| status.success())
    };
    apt_get(&["update", "-qq"])
        && apt_get(&["install", "--yes", "--no-install-recommends", "-qq", "postgresql"])
}
