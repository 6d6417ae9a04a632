//! `cargo xtask torture`: kills and power cuts, any number of them.

use std::process::Command;

use crate::command::{finish, program};
use crate::{Outcome, plugins, target_dir, workspace};

/// Kill a host under load, and cut its power, again and again.
///
/// Nothing that was answered may be lost. The power cuts happen on a file system that
/// forgets and tears what was not synced, and need /dev/fuse; a last one, whose fsync
/// lies, must lose something.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often the host is killed.
    #[arg(long, default_value_t = 50)]
    kills: usize,
    /// How often its power is cut.
    #[arg(long, default_value_t = 50)]
    cuts: usize,
    /// Decides when it is struck, and what is torn.
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    workspace::build()?;
    let mut torture = torture(args.kills, args.cuts);
    if let Some(seed) = args.seed {
        torture.args(["--seed", &seed.to_string()]);
    }
    finish(&mut torture)
}

/// Those of every test run: less than a minute. What it starts is built with the rest.
pub(crate) fn a_few() -> Outcome {
    finish(torture(5, 5).arg("--cuts-if-possible"))
}

fn torture(kills: usize, cuts: usize) -> Command {
    let mut torture = program(&target_dir().join("debug/alerts-torture").to_string_lossy());
    torture.args(["--kills", &kills.to_string(), "--cuts", &cuts.to_string()]);
    torture
}
