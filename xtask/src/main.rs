//! The project's own commands. `cargo xtask --help` lists them; each is one file.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line for developers: its output is its purpose"
)]

mod bench;
mod browser;
mod build;
mod cargo_tool;
mod command;
mod conformance;
mod coverage;
mod dashboard;
mod demo_exosphere;
mod deploy;
mod dist;
mod docs;
mod examples;
mod images;
mod integrations;
mod journeys;
mod plugins;
mod python_client;
mod run;
mod screenshots;
mod simulate;
mod soak;
mod step;
mod test;
mod toolchain;
mod torture;
mod venv;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{Parser, Subcommand};

/// What a command answers: nothing, or a text for the developer.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Build, run and test Exosphere Alerts.
///
/// `cargo xtask run --demo` builds everything and serves with sample data.
/// `cargo xtask test` is the whole truth about a change, here and in CI.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Plugins(plugins::Args),
    Examples(examples::Args),
    Dashboard(dashboard::Args),
    DemoExosphere(demo_exosphere::Args),
    Deploy(deploy::Args),
    Docs(docs::Args),
    Build(build::Args),
    Dist(dist::Args),
    Run(run::Args),
    Test(test::Args),
    Conformance(conformance::Args),
    Simulate(simulate::Args),
    Torture(torture::Args),
    Soak(soak::Args),
    Coverage(coverage::Args),
    Bench(bench::Args),
    Images(images::Args),
    #[command(name = "python")]
    PythonClient(python_client::Args),
    Integrations(integrations::Args),
    Screenshots(screenshots::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Plugins(args) => plugins::run(&args),
        Command::Examples(args) => examples::run(&args),
        Command::Dashboard(args) => dashboard::run(&args),
        Command::DemoExosphere(args) => demo_exosphere::run(&args),
        Command::Deploy(args) => deploy::run(&args),
        Command::Docs(args) => docs::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Dist(args) => dist::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Torture(args) => torture::run(&args),
        Command::Soak(args) => soak::run(&args),
        Command::Coverage(args) => coverage::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Images(args) => images::run(&args),
        Command::PythonClient(args) => python_client::run(&args),
        Command::Integrations(args) => integrations::run(&args),
        Command::Screenshots(args) => screenshots::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root, as cargo names it when it runs this: two checkouts may share
/// a build folder, so the one that this was compiled in may be another.
fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        // This crate sits one folder below it.
        here.and_then(|here| Some(here.parent()?.to_owned())).unwrap_or_else(|| ".".into())
    });
    &ROOT
}

/// Where cargo puts what it builds.
fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        // Cargo takes a relative one from the folder it runs in, which is the root.
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}
