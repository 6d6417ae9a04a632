//! `cargo xtask coverage`: how much of the engine and the domain the tests run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{cargo, finish, output, program, succeeds};
use crate::{Outcome, plugins, root, target_dir};

/// What is measured: the floors whose mistakes lose alerts.
const MEASURED: [&str; 2] = ["host/domain/src/", "host/engine/src/"];
/// Least share of lines, in percent.
const LEAST: f64 = 90.0;

/// Report which lines of the engine and the domain the tests run; less than 90
/// percent is an error.
///
/// All unit tests, the integration tests and the simulation run in a build of
/// their own (`target/llvm-cov-target`, some GB, 20 minutes the first time on two
/// cores). It can be deleted at any time. Not part of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only report what the last run has left.
    #[arg(long)]
    report: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let tool = Tool::find()?;
    // A test that fails must not hide the figures.
    let mut tested = Ok(());
    if !args.report {
        plugins::run(&plugins::Args::default())?;
        tool.run(&["clean", "--workspace"])?;
        // The integration tests start the program itself.
        let version = ["run", "--no-report", "--bin", "exosphere-alerts", "--", "--version"];
        tool.run(&version)?;
        finish(cargo().args(["build", "--package", "alerts-test-support"]))?;
        tested = finish(&mut tool.tests());
    }
    let lcov = target_dir().join("coverage.lcov");
    let lcov_text = lcov.to_string_lossy();
    tool.run(&["report", "--lcov", "--output-path", &lcov_text])?;
    judge(&read(&std::fs::read_to_string(&lcov)?))?;
    tested
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
        command
            .env("CARGO_INCREMENTAL", "0")
            .envs(self.llvm.iter().map(|(name, path)| (name, path)));
        command
    }

    fn run(&self, args: &[&str]) -> Outcome {
        finish(self.prepared(program(&self.program)).arg("llvm-cov").args(args))
    }

    /// All tests that run the engine or the domain, beside a Postgres.
    fn tests(&self) -> Command {
        let with_postgres = target_dir().join("debug/with-postgres");
        let mut tests = self.prepared(program(&with_postgres.to_string_lossy()));
        tests.args([&self.program, "llvm-cov"]);
        if succeeds(program("cargo-nextest").args(["nextest", "--version"])) {
            tests.arg("nextest");
        }
        tests.args(["--no-report", "--no-fail-fast", "--workspace", "--lib", "--bins"]);
        tests.args(["--test", "integration", "--test", "simulation"]);
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
        finish(cargo().args(["install", "--quiet", "--locked", name, "--root"]).arg(&tools))?;
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

/// Lines that can run, and those that did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Lines {
    all: u32,
    run: u32,
}

impl Lines {
    fn percent(self) -> f64 {
        if self.all == 0 { 100.0 } else { f64::from(self.run) * 100.0 / f64::from(self.all) }
    }
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
            && number.parse::<u32>().is_ok_and(|number| number < *tests_at)
        {
            let lines = files.entry(name.clone()).or_default();
            lines.all += 1;
            lines.run += u32::from(!count.starts_with('0'));
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

fn judge(files: &BTreeMap<String, Lines>) -> Outcome {
    let mut worst: Vec<(&String, &Lines)> = files.iter().collect();
    worst.sort_by(|(_, one), (_, other)| one.percent().total_cmp(&other.percent()));
    println!("{:>7}  {:>11}  file", "percent", "lines");
    for (file, lines) in worst {
        println!("{:>7.1}  {:>5}/{:<5}  {file}", lines.percent(), lines.run, lines.all);
    }
    let mut low = Vec::new();
    for measured in MEASURED {
        let of_crate = files.iter().filter(|(file, _)| file.starts_with(measured));
        let sum = of_crate.fold(Lines::default(), |sum, (_, lines)| Lines {
            all: sum.all + lines.all,
            run: sum.run + lines.run,
        });
        println!("{:>7.1}  {:>5}/{:<5}  {measured} in all", sum.percent(), sum.run, sum.all);
        if sum.all == 0 || sum.percent() < LEAST {
            low.push(measured);
        }
    }
    if low.is_empty() {
        return Ok(());
    }
    Err(format!("below {LEAST} percent of lines: {}", low.join(", ")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_of_the_measured_crates_count() {
        let at = |path: &str| root().join(path).display().to_string();
        let lcov = format!(
            "SF:{}\nDA:1,0\nDA:2,7\nDA:3,10\nend_of_record\nSF:{}\nDA:1,0\nend_of_record\n",
            at("host/engine/src/none_such.rs"),
            at("host/store/src/open.rs"),
        );
        let files = read(&lcov);
        assert_eq!(files.len(), 1);
        assert_eq!(files["host/engine/src/none_such.rs"], Lines { all: 3, run: 2 });
    }

    #[test]
    fn too_little_and_nothing_at_all_are_errors() {
        let file = |path: &str, run| (path.to_owned(), Lines { all: 10, run });
        let (domain, engine) = ("host/domain/src/a.rs", "host/engine/src/a.rs");
        assert!(judge(&BTreeMap::from([file(domain, 9), file(engine, 9)])).is_ok());
        let low = judge(&BTreeMap::from([file(domain, 10), file(engine, 8)])).unwrap_err();
        assert!(low.to_string().ends_with(": host/engine/src/"), "{low}");
        assert!(judge(&BTreeMap::new()).is_err());
    }
}
