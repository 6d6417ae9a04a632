//! `cargo xtask build`: the binary that works alone from any folder.

use crate::command::{cargo, finish, output, program};
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
    let mut build = cargo();
    build.args(["build", "--release", "--locked", "--package", "alerts-server"]);
    // `--version` shows it.
    if let Some(commit) = commit() {
        build.env("ALERTS_BUILD_COMMIT", commit);
    }
    finish(&mut build)?;
    println!("build: compiling the built-in plugins for machines of this kind");
    let host = &binary.to_string_lossy();
    finish(program(host).args(["bundle-plugins", host]))?;
    println!("build: {}", binary.display());
    Ok(())
}

/// The commit that is built, and whether the checkout differs from it; none where git or
/// its history is not there. An image's build has neither, and names it in the variable.
fn commit() -> Option<String> {
    if let Ok(named) = std::env::var("ALERTS_BUILD_COMMIT") {
        return Some(named).filter(|named| !named.is_empty());
    }
    let head = output(program("git").args(["rev-parse", "--short=12", "HEAD"]))?;
    let is_changed = !output(program("git").args(["status", "--porcelain"]))?.is_empty();
    Some(format!("{}{}", head.trim(), if is_changed { "-changed" } else { "" }))
}

/// The released binary beside the programs that measure it, all in one build, so that
/// they have the same dependencies with the same features, compiled once.
pub(crate) fn released_and_measured() -> Outcome {
    let packages = ["alerts-server", "alerts-bench", "alerts-soak"];
    let packages = packages.iter().flat_map(|package| ["--package", package]);
    finish(cargo().args(["build", "--release", "--locked"]).args(packages))
}
