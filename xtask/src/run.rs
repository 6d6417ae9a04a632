//! `cargo xtask run`: builds everything and serves.

use std::ffi::OsString;

use crate::command::program;
use crate::{Outcome, dashboard, plugins, workspace};

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
    workspace::build()?;
    let binary = workspace::host();
    let mut serve = program(&binary.to_string_lossy());
    serve.arg("serve");
    if args.demo {
        serve.arg("--demo");
    }
    serve.args(&args.serve);
    replace(&mut serve)
}

/// Becomes the server, so that signals reach it and not a parent in between.
#[cfg(unix)]
fn replace(serve: &mut std::process::Command) -> Outcome {
    use std::os::unix::process::CommandExt;

    Err(format!("cannot start the server: {}", serve.exec()).into())
}

#[cfg(not(unix))]
fn replace(serve: &mut std::process::Command) -> Outcome {
    crate::command::finish(serve)
}
