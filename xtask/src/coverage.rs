//! `cargo xtask coverage`: how much of the host's code the tests run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::command::{cargo, finish, output, program, succeeds, without_package_variables};
use crate::{Outcome, plugins, root, target_dir};

/// What is measured: the floors whose mistakes lose alerts.
const MEASURED: [&str; 4] =
    ["host/domain/src/", "host/engine/src/", "host/server/src/", "host/store/src/"];
/// Least share of lines, in percent.
const LEAST: f64 = 90.0;

/// Tests that add nothing: seeds of the simulation that run no lines which the first
/// 375 do not. Hosts that are killed leave no counts behind, so the torture has none.
const SKIPPED: [&str; 5] = ["seeds_375", "seeds_500", "seeds_625", "seeds_750", "seeds_875"];

/// Report which lines of domain, store, engine and server the tests run; less than 90
/// percent of one is an error.
///
/// All unit tests, those of the store on both databases, the engine's own tests, the
/// integration tests and the simulation run in a build of their own (`target/llvm-cov-target`, some GB). It
/// can be deleted at any time. What the compiler puts into its callers may be told
/// as not run: the heads of some `async` functions. On two cores the first run takes some 20 minutes,
/// another one after a change some minutes. Not part of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only report what the last run has left.
    #[arg(long)]
    report: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let tool = Tool::find()?;
    let lcov = target_dir().join("coverage.lcov");
    // A test that fails must not hide the figures.
    let mut tested = Ok(());
    if !args.report {
        step("plugins", || plugins::run(&plugins::Args::default()))?;
        step("program", || {
            tool.clean(&lcov)?;
            // The integration tests start the program itself.
            let version = ["run", "--no-report", "--bin", "exosphere-alerts", "--", "--version"];
            tool.run(&version)?;
            finish(cargo().args(["build", "--package", "alerts-test-support"]))
        })?;
        tested = step("tests", || finish(&mut tool.tests()));
    }
    let lcov_text = lcov.to_string_lossy();
    step("report", || tool.run(&["report", "--lcov", "--output-path", &lcov_text]))?;
    judge(&read(&std::fs::read_to_string(&lcov)?))?;
    tested
}

/// Says what is being done, and how long it took.
fn step(heading: &str, step: impl FnOnce() -> Outcome) -> Outcome {
    println!("\n== coverage: {heading}");
    let started = Instant::now();
    let outcome = step();
    let word = if outcome.is_ok() { "good" } else { "FAILED" };
    println!("== coverage: {heading}: {word}, {:.0} s", started.elapsed().as_secs_f32());
    outcome
}

/// `cargo-llvm-cov`, and the programs of LLVM that it needs.
struct Tool {
    program: String,
    /// Variables that name LLVM's programs, where they are not the toolchain's.
    llvm: Vec<(&'static str, PathBuf)>,
}

impl Tool {
    fn find() -> Outcome<Self> {
        Ok(Self { llvm: llvm_tools()?, program: cargo_llvm_cov()? })
    }

    fn prepared(&self, mut command: Command) -> Command {
        without_package_variables(&mut command);
        command
            .env("CARGO_INCREMENTAL", "0")
            .envs(self.llvm.iter().map(|(name, path)| (name, path)));
        command
    }

    /// Removes what earlier runs counted. Programs of other dependencies have other
    /// names, and would be counted beside those that take their place.
    fn clean(&self, last_report: &Path) -> Outcome {
        let written = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
        let has_same_dependencies = written(last_report) > written(&root().join("Cargo.lock"));
        let what = if has_same_dependencies { "--profraw-only" } else { "--workspace" };
        self.run(&["clean", what])
    }

    fn run(&self, args: &[&str]) -> Outcome {
        finish(self.prepared(program(&self.program)).arg("llvm-cov").args(args))
    }

    /// All tests that run what is measured, beside a Postgres.
    fn tests(&self) -> Command {
        let with_postgres = target_dir().join("debug/with-postgres");
        let mut tests = self.prepared(program(&with_postgres.to_string_lossy()));
        tests.args([&self.program, "llvm-cov"]);
        if succeeds(program("cargo-nextest").args(["nextest", "--version"])) {
            tests.arg("nextest");
        }
        tests.args(["--no-report", "--no-fail-fast", "--workspace", "--lib", "--bins"]);
        for name in ["conformance", "egress", "integration", "simulation"] {
            tests.args(["--test", name]);
        }
        tests.arg("--");
        tests.args(SKIPPED.iter().flat_map(|name| ["--skip", name]));
        tests
    }
}

/// The installed one, or one that is built beside everything else.
fn cargo_llvm_cov() -> Outcome<String> {
    let name = "cargo-llvm-cov";
    if succeeds(program(name).args(["llvm-cov", "--version"])) {
        return Ok(name.to_owned());
    }
    let tools = target_dir().join("tools");
    let built = tools.join("bin").join(name).to_string_lossy().into_owned();
    if !succeeds(program(&built).args(["llvm-cov", "--version"])) {
        println!("coverage: building {name} once, some minutes on two cores");
        finish(cargo().args(["install", "--locked", name, "--root"]).arg(&tools))?;
    }
    Ok(built)
}

/// Variables for LLVM's programs: none when the toolchain has its own, those in
/// the PATH when they are as new as the compiler.
fn llvm_tools() -> Outcome<Vec<(&'static str, PathBuf)>> {
    let verbose = output(program("rustc").arg("-vV")).unwrap_or_default();
    let line = |name: &str| verbose.lines().find_map(|line| line.strip_prefix(name));
    let host = line("host: ").unwrap_or_default();
    let wanted =
        line("LLVM version: ").and_then(major).ok_or("`rustc -vV` names no LLVM version")?;
    let sysroot = output(program("rustc").args(["--print", "sysroot"])).unwrap_or_default();
    let own = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin");
    let has_own = || own.join("llvm-profdata").exists() && own.join("llvm-cov").exists();
    if has_own() {
        return Ok(Vec::new());
    }
    println!("coverage: asking rustup for llvm-tools");
    if succeeds(program("rustup").args(["component", "add", "llvm-tools"])) && has_own() {
        return Ok(Vec::new());
    }
    for suffix in [format!("-{wanted}"), String::new()] {
        let named = |name: &str| format!("{name}{suffix}");
        let (cov, profdata) = (named("llvm-cov"), named("llvm-profdata"));
        let found = output(program(&cov).arg("--version"));
        let version = found.as_deref().and_then(|text| major(text.split("version ").nth(1)?));
        if version.is_some_and(|version| version >= wanted)
            && succeeds(program(&profdata).arg("--version"))
        {
            return Ok(vec![("LLVM_COV", cov.into()), ("LLVM_PROFDATA", profdata.into())]);
        }
    }
    Err(format!(
        "no llvm-cov and llvm-profdata of LLVM {wanted}, which this rustc is built with. Do one of \
         these:\n  - `rustup component add llvm-tools`\n  - install the package `llvm-{wanted}` of \
         your system"
    )
    .into())
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.trim().parse().ok()
}

/// Lines that can run, and those that did not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lines {
    all: usize,
    missed: Vec<u32>,
}

impl Lines {
    fn run(&self) -> usize {
        self.all - self.missed.len()
    }

    /// The lines that did not run, neighbours together.
    fn told(&self) -> String {
        let ranges = self.missed.chunk_by(|one, next| one + 1 == *next);
        let told: Vec<String> = ranges
            .filter_map(|range| match range {
                [] => None,
                [line] => Some(line.to_string()),
                [first, .., last] => Some(format!("{first}-{last}")),
            })
            .collect();
        told.join(" ")
    }
}

fn percent(run: usize, all: usize) -> f64 {
    if all == 0 { 100.0 } else { run as f64 * 100.0 / all as f64 }
}

/// Reads a tracefile (`man geninfo`): the measured files, without their tests.
fn read(lcov: &str) -> BTreeMap<String, Lines> {
    let mut files: BTreeMap<String, Lines> = BTreeMap::new();
    let mut file: Option<(String, u32)> = None;
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            let path = Path::new(path);
            let short = path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned();
            let is_measured = MEASURED.iter().any(|measured| short.starts_with(measured));
            let is_test = short.ends_with("/tests.rs");
            file = (is_measured && !is_test).then(|| (short, first_test_line(path)));
        } else if let (Some(rest), Some((name, tests_at))) = (line.strip_prefix("DA:"), &file)
            && let Some((number, count)) = rest.split_once(',')
            && let Ok(number) = number.parse::<u32>()
            && number < *tests_at
        {
            let lines = files.entry(name.clone()).or_default();
            lines.all += 1;
            if count.starts_with('0') {
                lines.missed.push(number);
            }
        }
    }
    files
}

/// Tests stand at the end of a file.
fn first_test_line(path: &Path) -> u32 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let found = text.lines().position(|line| line == "#[cfg(test)]");
    found.and_then(|index| u32::try_from(index + 1).ok()).unwrap_or(u32::MAX)
}

/// Prints each file, the best first, so that the worst stand at the end, and each crate. An error when one has too little.
fn judge(files: &BTreeMap<String, Lines>) -> Outcome {
    let share = |lines: &Lines| percent(lines.run(), lines.all);
    let mut sorted: Vec<(&String, &Lines)> = files.iter().collect();
    sorted.sort_by(|(_, one), (_, other)| share(other).total_cmp(&share(one)));
    println!("\n{:>7}  {:>11}  file: lines that did not run", "percent", "lines");
    for (file, lines) in sorted {
        let (percent, run, all) = (share(lines), lines.run(), lines.all);
        println!("{percent:>7.1}  {run:>5}/{all:<5}  {file}: {}", lines.told());
    }
    let mut low = Vec::new();
    for measured in MEASURED {
        let of_crate = || files.iter().filter(|(file, _)| file.starts_with(measured));
        let run = of_crate().map(|(_, lines)| lines.run()).sum();
        let all = of_crate().map(|(_, lines)| lines.all).sum();
        println!("{:>7.1}  {run:>5}/{all:<5}  {measured} in all", percent(run, all));
        if all == 0 || percent(run, all) < LEAST {
            low.push(measured);
        }
    }
    if low.is_empty() {
        return Ok(());
    }
    let low = low.join(" and ");
    Err(format!(
        "the tests run less than {LEAST} percent of the lines of {low}: test what the lines listed \
         above are there for, or delete those that nothing can reach"
    )
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_the_measured_crates_count_and_those_that_did_not_run_are_told() {
        let at = |path: &str| root().join(path).display().to_string();
        let lcov = format!(
            "SF:{}\nDA:1,0\nDA:2,7\nDA:3,10\nDA:5,0\nDA:6,0\nDA:7,0\nend_of_record\nSF:{}\nDA:1,0\n\
             end_of_record\n",
            at("host/engine/src/none_such.rs"),
            at("host/sandbox/src/limits.rs"),
        );
        let files = read(&lcov);
        assert_eq!(files.len(), 1);
        let lines = &files["host/engine/src/none_such.rs"];
        assert_eq!((lines.run(), lines.all), (2, 6));
        assert_eq!(lines.told(), "1 5-7");
    }

    #[test]
    fn too_little_and_nothing_at_all_are_errors() {
        let file = |path: &str, run: usize| {
            (path.to_owned(), Lines { all: 10, missed: (run as u32..10).collect() })
        };
        let all = |run: [usize; MEASURED.len()]| -> BTreeMap<_, _> {
            MEASURED.iter().zip(run).map(|(of, run)| file(&format!("{of}a.rs"), run)).collect()
        };
        assert!(judge(&all([9, 9, 9, 9])).is_ok());
        let low = judge(&all([10, 8, 10, 10])).unwrap_err();
        assert!(low.to_string().contains("host/engine/src/: test"), "{low}");
        assert!(!low.to_string().contains("domain"), "{low}");
        assert!(judge(&BTreeMap::new()).is_err());
    }
}
