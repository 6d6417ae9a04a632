//! `cargo xtask test`: the whole truth about a change, step by step.

use std::time::{Duration, Instant};

use crate::cargo_tool::cargo_tool;
use crate::command::{cargo, finish, fresh_cargo, program, succeeds, without_package_variables};
use crate::step::Step;
use crate::{
    Outcome, conformance, dashboard, deploy, docs, examples, journeys, plugins, python_client,
    target_dir, torture, workspace,
};

/// Run everything that must hold: format, lints, licences and all tests.
///
/// All steps run even when one fails; a summary at the end names those that
/// did, and those that were skipped because this machine lacks something. The
/// dashboard is tested in Chromium: the one in ALERTS_CHROMIUM, or else the
/// installed one. Postgres is taken from ALERTS_TEST_POSTGRES_URL, or started for the run.
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
    steps.run("dashboard build", || dashboard::run(&dashboard::Args::default()));
    if filter.is_none() {
        steps.run("lints", lints);
        steps.run("licences and bans", licences);
        steps.run("examples", || examples::run(&examples::Args::default()));
    }
    steps.run("plugin tests", || plugin_tests(filter));
    steps.run("tests", || host_tests(filter));
    // What follows runs the host that the tests were built with.
    steps.run_or_skip("python client", || python_client::check(filter));
    if filter.is_none() {
        steps.run_or_skip("dashboard", journeys::run);
        steps.run_or_skip("deploy", || deploy::check(None));
        steps.run_or_skip("docs", docs::check);
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
    let deny = cargo_tool("cargo-deny")?;
    for manifest in ["Cargo.toml", "plugins/Cargo.toml"] {
        let workspace = ["--manifest-path", manifest, "--config", "deny.toml"];
        let check = ["check", "--allow", "license-not-encountered"];
        let what = ["licenses", "bans", "sources"];
        finish(program(&deny).args(workspace).args(check).args(what))?;
    }
    Ok(())
}

/// Guests are plain Rust, so they are tested without a sandbox.
fn plugin_tests(filter: Option<&str>) -> Outcome {
    finish(guests("test").args(guests_target_dir()).arg("--workspace").args(filter))
}

fn host_tests(filter: Option<&str>) -> Outcome {
    workspace::build()?;
    // One server for all test processes; its program was built with the rest.
    let with_postgres = workspace::built("with-postgres");
    let mut tests = program(&with_postgres.to_string_lossy());
    // Else what was just built would be built again for the tests.
    without_package_variables(&mut tests);
    tests.arg("cargo");
    if succeeds(program("cargo-nextest").args(["nextest", "--version"])) {
        tests.args(["nextest", "run", "--workspace", "--no-tests=pass", "--no-fail-fast"]);
    } else {
        tests.args(["test", "--workspace", "--no-fail-fast"]);
    }
    finish(tests.args(filter))
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
    done: Vec<(&'static str, Duration, Outcome<Step>)>,
}

impl Steps {
    fn run(&mut self, heading: &'static str, step: impl FnOnce() -> Outcome) {
        self.run_or_skip(heading, || step().map(|()| Step::Good));
    }

    fn run_or_skip(&mut self, heading: &'static str, step: impl FnOnce() -> Outcome<Step>) {
        println!("\n== {heading}");
        let started = Instant::now();
        let outcome = step();
        let took = started.elapsed();
        println!("== {heading}: {}, {:.1} s{}", word(&outcome), took.as_secs_f32(), why(&outcome));
        self.done.push((heading, took, outcome));
    }

    fn summary(self) -> Outcome {
        println!("\n== summary");
        let mut failed = Vec::new();
        for (heading, took, outcome) in &self.done {
            println!("{:>7}  {:>7.1} s  {heading}", word(outcome), took.as_secs_f32());
            if outcome.is_err() {
                failed.push(*heading);
            }
        }
        // Below everything else, where it is read: what was not tested is not known to work.
        for (heading, _, outcome) in &self.done {
            if let Ok(Step::Skipped(_)) = outcome {
                println!("\n== NOT TESTED: {heading}{}", why(outcome));
            }
        }
        if failed.is_empty() {
            Ok(())
        } else {
            Err(format!("failed: {}", failed.join(", ")).into())
        }
    }
}

fn word(outcome: &Outcome<Step>) -> &'static str {
    match outcome {
        Ok(Step::Good) => "good",
        Ok(Step::Skipped(_)) => "SKIPPED",
        Err(_) => "FAILED",
    }
}

/// To follow the word.
fn why(outcome: &Outcome<Step>) -> String {
    match outcome {
        Ok(Step::Good) => String::new(),
        Ok(Step::Skipped(why)) => format!(": {why}"),
        Err(error) => format!(": {error}"),
    }
}
