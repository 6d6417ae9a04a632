//! `cargo xtask demo-exosphere`: a platform to watch, for who has none at hand.

use std::net::SocketAddr;

use crate::command::{finish, program};
use crate::{Outcome, workspace};

/// Serve a stand-in for Exosphere on which runs start, fail and are retried.
///
/// It says how to start a host that watches it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8017")]
    listen: SocketAddr,
}

pub(crate) fn run(args: &Args) -> Outcome {
    workspace::build()?;
    let binary = workspace::built("stand-in-exosphere");
    let mut stand_in = program(&binary.to_string_lossy());
    stand_in.arg("--listen").arg(args.listen.to_string());
    finish(&mut stand_in)
}
