//! `cargo xtask bench`: the promises, measured.

use std::ffi::OsString;

use crate::command::{finish, program};
use crate::{Outcome, build, examples, plugins, target_dir};

/// Measure what is promised, beside this machine's own limits.
///
/// Builds the released binary and drives it with load, a receiver and a bare
/// relay. Prints ratios taken in one run and writes target/bench.md. Arguments
/// after `--` go to the benchmark; see them with `cargo xtask bench -- --help`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Passed on to the benchmark.
    #[arg(last = true)]
    bench: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    // A language whose tools are not there is passed over, here and there.
    examples::run(&examples::Args::default())?;
    build::released_and_measured()?;
    let bench = target_dir().join("release/alerts-bench");
    finish(program(&bench.to_string_lossy()).args(&args.bench))
}
