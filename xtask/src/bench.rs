//! `cargo xtask bench`: the promises, measured.

use std::ffi::OsString;

use crate::command::{cargo, finish};
use crate::{Outcome, plugins};

/// Measure what is promised, beside this machine's own limits.
///
/// Prints ratios taken in one run. Arguments after `--` go to the benchmark.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Passed on to the benchmark.
    #[arg(last = true)]
    bench: Vec<OsString>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    finish(
        cargo()
            .args(["run", "--release", "--locked", "--package", "alerts-bench", "--"])
            .args(&args.bench),
    )
}
