//! `cargo xtask bench`: the promises, measured.

use std::ffi::OsString;

use crate::command::{cargo, finish, program};
use crate::{Outcome, examples, plugins, target_dir};

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
    // Together, so that both have the same dependencies, compiled once.
    let build = ["build", "--release", "--locked"];
    let packages = ["--package", "alerts-server", "--package", "alerts-bench"];
    finish(cargo().args(build).args(packages))?;
    let bench = target_dir().join("release/alerts-bench");
    finish(program(&bench.to_string_lossy()).args(&args.bench))
}
