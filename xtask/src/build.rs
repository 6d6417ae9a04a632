//! `cargo xtask build`: the binary that works alone from any folder.

use crate::command::{self, cargo, finish};
use crate::{Outcome, dashboard, plugins, target_dir};

/// Build the release binary, target/release/exosphere-alerts.
///
/// Plugins (compiled for machines of this kind), migrations and dashboard are inside it:
/// copy it anywhere and run `exosphere-alerts serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Outcome {
    plugins::run(&plugins::Args::default())?;
    dashboard::run(&dashboard::Args::default())?;
    let binary = target_dir().join("release/exosphere-alerts");
    if !binary.exists() {
        println!("build: the first release build compiles wasmtime, about 15 minutes on two cores");
    }
    finish(cargo().args(["build", "--release", "--locked", "--package", "alerts-server"]))?;
    println!("build: compiling the built-in plugins for machines of this kind");
    let program = &binary.to_string_lossy();
    finish(command::program(program).args(["bundle-plugins", program]))?;
    println!("build: {}", binary.display());
    Ok(())
}

/// The released binary beside the programs that measure it, all in one build, so that
/// they have the same dependencies with the same features, compiled once.
pub(crate) fn released_and_measured() -> Outcome {
    let packages = ["alerts-server", "alerts-bench", "alerts-soak"];
    let packages = packages.iter().flat_map(|package| ["--package", package]);
    finish(cargo().args(["build", "--release", "--locked"]).args(packages))
}
