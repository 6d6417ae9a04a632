//! `cargo xtask test`: the whole truth about a change, step by step.

use std::time::{Duration, Instant};

use crate::command::{cargo, finish, fresh_cargo, program, succeeds, without_package_variables};
use crate::{
    Outcome, conformance, dashboard, examples, plugins, python_client, run, target_dir, torture,
};

/// Run everything that must hold: format, lints, licences and all tests.
///
/// All steps run even when one fails; a summary at the end names those that
/// did. Postgres is taken from ALERTS_TEST_POSTGRES_URL, or started for the run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run only the tests whose names contain this, and neither format, lints
    /// nor licences.
    filter: Option<String>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let mut steps = Steps::default();
    let filter = args.filter.as_deref();
    if filter.is_none() {
        steps.run("format", format);
    }
    steps.run("plugins", || plugins::run(&plugins::Args::default()));
    steps.run("dashboard", || dashboard::run(&dashboard::Args::default()));
    if filter.is_none() {
        steps.run("lints", lints);
        steps.run("licences and bans", licences);
        steps.run("examples", || examples::run(&examples::Args::default()));
    }
    steps.run("plugin tests", || plugin_tests(filter));
    steps.run("tests", || host_tests(filter));
    steps.run("python client", || python_client(filter));
    if filter.is_none() {
        steps.run("conformance", conformance::hold);
        steps.run("torture", torture::a_few);
    }
    steps.summary()
}

fn format() -> Outcome {
    finish(cargo().args(["fmt", "--all", "--check"]))?;
    finish(guests("fmt").args(["--all", "--check"]))
}

fn lints() -> Outcome {
    let everything = ["--workspace", "--all-targets", "--", "--deny", "warnings"];
    finish(cargo().arg("clippy").args(everything))?;
    finish(guests("clippy").args(guests_target_dir()).args(everything))
}

fn licences() -> Outcome {
    let deny = cargo_deny()?;
    for manifest in ["Cargo.toml", "plugins/Cargo.toml"] {
        let workspace = ["--manifest-path", manifest, "--config", "deny.toml"];
        let check = ["check", "--allow", "license-not-encountered"];
        let what = ["licenses", "bans", "sources"];
        finish(program(&deny).args(workspace).args(check).args(what))?;
    }
    Ok(())
}

/// The installed cargo-deny, or one that is built beside everything else.
fn cargo_deny() -> Outcome<String> {
    if succeeds(program("cargo-deny").arg("--version")) {
        return Ok("cargo-deny".to_owned());
    }
    let tools = target_dir().join("tools");
    let deny = tools.join("bin/cargo-deny").to_string_lossy().into_owned();
    if !succeeds(program(&deny).arg("--version")) {
        println!("licences: building cargo-deny once, some minutes on two cores");
        let mut install = cargo();
        install.args(["install", "--quiet", "--locked", "cargo-deny", "--root"]).arg(&tools);
        finish(&mut install)?;
    }
    Ok(deny)
}

/// Guests are plain Rust, so they are tested without a sandbox.
fn plugin_tests(filter: Option<&str>) -> Outcome {
    finish(guests("test").args(guests_target_dir()).arg("--workspace").args(filter))
}

fn host_tests(filter: Option<&str>) -> Outcome {
    run::build_workspace()?;
    // One server for all test processes; its program was built with the rest.
    let with_postgres = target_dir().join("debug/with-postgres");
    let mut tests = program(&with_postgres.to_string_lossy());
    // Else what was just built would be built again for the tests.
    without_package_variables(&mut tests);
    tests.arg("cargo");
    if succeeds(program("cargo-nextest").args(["nextest", "--version"])) {
        tests.args(["nextest", "run", "--workspace", "--no-tests=pass"]);
    } else {
        tests.args(["test", "--workspace"]);
    }
    finish(tests.args(filter))
}

/// With the host that the tests before it were built with.
fn python_client(filter: Option<&str>) -> Outcome {
    if python_client::is_possible() { python_client::check(filter) } else { Ok(()) }
}

/// A cargo command on the guests' workspace, natively.
fn guests(command: &str) -> std::process::Command {
    let mut cargo = fresh_cargo("cargo");
    cargo.args([command, "--manifest-path", "plugins/Cargo.toml"]);
    cargo
}

fn guests_target_dir() -> [std::ffi::OsString; 2] {
    ["--target-dir".into(), target_dir().join("guests").into()]
}

/// What was run so far, and how it went.
#[derive(Default)]
struct Steps {
    done: Vec<(&'static str, Duration, Outcome)>,
}

impl Steps {
    fn run(&mut self, heading: &'static str, step: impl FnOnce() -> Outcome) {
        println!("\n== {heading}");
        let started = Instant::now();
        let outcome = step();
        let took = started.elapsed();
        match &outcome {
            Ok(()) => println!("== {heading}: good, {:.1} s", took.as_secs_f32()),
            Err(error) => println!("== {heading}: FAILED, {:.1} s: {error}", took.as_secs_f32()),
        }
        self.done.push((heading, took, outcome));
    }

    fn summary(self) -> Outcome {
        println!("\n== summary");
        let mut failed = Vec::new();
        for (heading, took, outcome) in self.done {
            let word = if outcome.is_ok() { "good" } else { "FAILED" };
            println!("{word:>6}  {:>7.1} s  {heading}", took.as_secs_f32());
            if outcome.is_err() {
                failed.push(heading);
            }
        }
        if failed.is_empty() {
            Ok(())
        } else {
            Err(format!("failed: {}", failed.join(", ")).into())
        }
    }
}
