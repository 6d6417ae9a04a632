//! `cargo xtask integrations`: the listeners for workflow platforms, each with the real platform
//! from its registry, on a small flow.

use std::path::Path;

use clap::ValueEnum;

use crate::command::finish;
use crate::python_client::{built_wheel, cache, in_package, venv};
use crate::venv::Venv;
use crate::{Outcome, workspace};

/// Run a small flow on real workflow platforms, and hold the alerts that follow against it.
///
/// Each platform is installed into a virtual environment of its own: up to a gigabyte, which is
/// removed afterwards. The mappings alone are tested by `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these.
    platforms: Vec<Platform>,
    /// Keep the environments for the next run.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Platform {
    Airflow,
    Prefect,
    Dagster,
}

pub(crate) fn run(args: &Args) -> Outcome {
    workspace::build()?;
    let wheel = built_wheel(&venv("test")?)?;
    for platform in Platform::value_variants() {
        if args.platforms.is_empty() || args.platforms.contains(platform) {
            let venv = venv(platform.name())?;
            let outcome = check(*platform, &venv, &wheel);
            if !args.keep {
                venv.remove()?;
            }
            outcome?;
        }
    }
    Ok(())
}

fn check(platform: Platform, venv: &Venv, wheel: &Path) -> Outcome {
    venv.install(&["--no-deps", "--force-reinstall", &wheel.to_string_lossy()])?;
    // What the tests ask the host with, in the versions that the platform wants.
    venv.install(&[&format!("{}[client]", wheel.display())])?;
    let test = format!("tests/platforms/{}_flow.py", platform.name());
    // The settings of the ordinary tests, in which a warning is an error, are not for platforms.
    let mut pytest = in_package(venv, "python");
    pytest.args(["-m", "pytest", "-q", "-o", "filterwarnings=default", &test]);
    pytest.env("ALERTS_BINARY", workspace::host());
    finish(pytest.env("ALERTS_CACHE_DIR", cache()))
}

impl Platform {
    fn name(self) -> &'static str {
        match self {
            Self::Airflow => "airflow",
            Self::Prefect => "prefect",
            Self::Dagster => "dagster",
        }
    }
}
