//! `cargo xtask run`: builds everything and serves.

use std::ffi::OsString;

use crate::command::{cargo, finish, program};
use crate::{Outcome, dashboard, plugins, target_dir};

/// Build everything and serve, with SQLite under ./data.
///
/// Arguments after `--` go to `exosphere-alerts serve`; see them with
/// `cargo xtask run -- --help`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show a company whose workflows run and fail, and print a link that signs in.
    #[arg(long)]
    demo: bool,
    /// Passed on to `exosphere-alerts serve`.
    #[arg(last = true)]
    serve: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    dashboard::run(&dashboard::Args::default())?;
    build_workspace()?;
    let binary = target_dir().join("debug/exosphere-alerts");
    let mut serve = program(&binary.to_string_lossy());
    serve.arg("serve");
    if args.demo {
        serve.arg("--demo");
    }
    serve.args(&args.serve);
    replace(&mut serve)
}

/// The whole workspace even for one binary: a part of it would give wasmtime
/// other features, and so compile it a second time.
pub(crate) fn build_workspace() -> Outcome {
    if !target_dir().join("debug/exosphere-alerts").exists() {
        println!("build: the first build compiles wasmtime, about 10 minutes on two cores");
    }
    finish(cargo().args(["build", "--workspace", "--locked"]))
}

/// Becomes the server, so that signals reach it and not a parent in between.
#[cfg(unix)]
fn replace(serve: &mut std::process::Command) -> Outcome {
    use std::os::unix::process::CommandExt;

    Err(format!("cannot start the server: {}", serve.exec()).into())
}

#[cfg(not(unix))]
fn replace(serve: &mut std::process::Command) -> Outcome {
    finish(serve)
}
