//! `cargo xtask python`: builds, lints, type-checks and tests the Python package, against the
//! real host.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::command::finish;
use crate::step::Step;
use crate::venv::{self, Venv};
use crate::{Outcome, root, target_dir, workspace};

/// Build the wheel of clients/python, and run its lints, types and tests.
///
/// Needs Python 3.10 or newer with venv; what it is tested with is installed into a virtual
/// environment of its own, once.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Run only the tests whose names contain this, and neither lints nor types.
    filter: Option<String>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    workspace::build()?;
    match check(args.filter.as_deref())? {
        Step::Good => {}
        Step::Skipped(why) => println!("python client: NOTHING OF IT IS TESTED: {why}"),
    }
    Ok(())
}

/// With the host that was built.
pub(crate) fn check(filter: Option<&str>) -> Outcome<Step> {
    let Some(venv) = Venv::if_possible("python client", place("test"), &requirements("test"))
    else {
        return Ok(Step::Skipped(venv::ADVICE.to_owned()));
    };
    let wheel = built_wheel(&venv)?;
    venv.install(&["--no-deps", "--force-reinstall", &wheel.to_string_lossy()])?;
    if filter.is_none() {
        finish(in_package(&venv, "ruff").args(["check", "--quiet"]))?;
        finish(in_package(&venv, "ruff").args(["format", "--check", "--quiet"]))?;
        finish(in_package(&venv, "mypy").args(["--no-error-summary"]))?;
    }
    let mut pytest = in_package(&venv, "pytest");
    pytest
        .env("ALERTS_BINARY", workspace::host())
        .env("ALERTS_WHEEL", &wheel)
        .env("ALERTS_CACHE_DIR", cache());
    if let Some(filter) = filter {
        // Whether any test has such a name is no matter here.
        let named = pytest.args(["-k", filter]).status()?;
        const NONE_NAMED_SO: i32 = 5;
        return match named.code() {
            Some(0 | NONE_NAMED_SO) => Ok(Step::Good),
            _ => Err("tests of the Python package failed".into()),
        };
    }
    finish(&mut pytest)?;
    Ok(Step::Good)
}

/// The wheel of what is in the checkout; built again if a source is newer than it.
pub(crate) fn built_wheel(venv: &Venv) -> Outcome<PathBuf> {
    let dist = folder().join("dist");
    let found = wheel_in(&dist);
    let built = found.as_ref().and_then(|wheel| written(wheel));
    let description = root().join("dashboard/openapi.json");
    let sources = ["src", "pyproject.toml", "hatch_build.py", "README.md"];
    let newest = sources.map(|name| newest(&package().join(name)));
    if let Some(found) = found
        && newest.iter().chain([&written(&description)]).all(|source| *source < built)
    {
        return Ok(found);
    }
    let _ = std::fs::remove_dir_all(&dist);
    // With what the environment has: the generator is pinned there too.
    let mut build = in_package(venv, "python");
    build.args(["-m", "build", "--wheel", "--no-isolation", "--outdir"]).arg(&dist);
    finish(build.stdout(std::process::Stdio::null()))?;
    wheel_in(&dist).ok_or_else(|| format!("no wheel in {}", dist.display()).into())
}

fn wheel_in(dist: &Path) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(dist).ok()?.flatten().map(|entry| entry.path());
    files.find(|file| file.extension().is_some_and(|one| one == "whl"))
}

fn written(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// When anything below was last written, but for what a build or Python itself leaves there.
fn newest(path: &Path) -> Option<SystemTime> {
    const MADE: [&str; 2] = ["api", "__pycache__"];

    if !path.is_dir() {
        return written(path);
    }
    let entries = std::fs::read_dir(path).ok()?.flatten();
    let sources = entries.filter(|entry| !MADE.iter().any(|made| entry.file_name() == *made));
    sources.filter_map(|entry| newest(&entry.path())).max()
}

fn package() -> PathBuf {
    root().join("clients/python")
}

fn folder() -> PathBuf {
    target_dir().join("python-client")
}

/// The environment of a file in clients/python/requirements.
pub(crate) fn venv(name: &str) -> Outcome<Venv> {
    Venv::made(place(name), &requirements(name))
}

/// Compiled plugins of hosts under test: else every run compiles them anew.
pub(crate) fn cache() -> PathBuf {
    folder().join("cache")
}

fn place(name: &str) -> PathBuf {
    folder().join(name)
}

fn requirements(name: &str) -> PathBuf {
    package().join("requirements").join(format!("{name}.txt"))
}

/// A program of an environment, run in clients/python.
pub(crate) fn in_package(venv: &Venv, name: &str) -> Command {
    let mut command = venv.program(name);
    command.current_dir(package());
    command
}
