//! `cargo xtask deploy`: holds what operators copy, `deploy/` and `examples/receivers/`,
//! against the program and against the tools that will read it.
//!
//! Owns where those tools come from; the checks themselves are in Python, beside what they
//! check.

use std::path::{Path, PathBuf};

use crate::command::{finish, program, succeeds};
use crate::step::Step;
use crate::toolchain::{install_with_apt, is_root};
use crate::venv::{self, Venv};
use crate::{Outcome, dist, root, target_dir, workspace};

/// Check deploy/ (image, systemd unit, compose files, chart, Terraform module, dashboards)
/// and examples/receivers.
///
/// Tools that are missing are installed where that is possible: PyPI's for the project
/// alone, Debian's unpacked for the project alone, Debian's PHP for root. A check whose
/// tool cannot be had is passed over, and named at the end with the reason.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Run only the checks whose names contain this.
    filter: Option<String>,
}

/// Programs that are unpacked from Debian's packages and not installed, since installing
/// would start them as services; with the libraries that they need.
const UNPACKED: [(&str, &[&str]); 3] = [
    ("haproxy", &["haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1"]),
    ("promtool", &["prometheus"]),
    ("strace", &["strace", "libunwind8"]),
];

pub(crate) fn run(args: &Args) -> Outcome {
    match check(args.filter.as_deref())? {
        Step::Good => {}
        Step::Skipped(why) => println!("deploy: ALL CHECKS ARE PASSED OVER: {why}"),
    }
    Ok(())
}

/// Runs the checks whose names contain `filter`.
pub(crate) fn check(filter: Option<&str>) -> Outcome<Step> {
    let kept = target_dir().join("deploy");
    let requirements = root().join("deploy/tests/requirements.txt");
    let Some(venv) = Venv::if_possible("deploy", kept.join("python"), &requirements) else {
        return Ok(Step::Skipped(venv::ADVICE.to_owned()));
    };
    for (name, packages) in UNPACKED {
        unpack(name, packages, &kept.join("debian"));
    }
    if !is_there("php") && is_root() {
        println!("deploy: installing php-cli with apt-get");
        let _ = install_with_apt(&["php-cli"]);
    }
    workspace::build()?;
    let packages = kept.join("own-packages");
    if let Err(error) = dist::packages_to_test(&packages) {
        println!("deploy: the Debian package is not tested: {error}");
    }

    let mut checks = venv.program("pytest");
    checks
        .env("ALERTS_PROGRAM", workspace::host())
        .env("ALERTS_DEPLOY_DIR", &kept)
        .env("ALERTS_PACKAGES_DIR", &packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // The reasons of what is passed over, and a line for each that failed.
        .args(["-q", "-rsfE", "-p", "no:cacheprovider", "deploy/tests"]);
    if let Some(filter) = filter {
        checks.args(["-k", filter]);
    }
    finish(&mut checks)?;
    Ok(Step::Good)
}

/// Tries; the checks look again, and say what they miss.
fn unpack(name: &str, packages: &[&str], into: &Path) {
    if is_there(name)
        || ["bin", "sbin"].iter().any(|bin| into.join("usr").join(bin).join(name).exists())
    {
        return;
    }
    let downloaded = into.join("packages");
    let done = std::fs::create_dir_all(&downloaded).map_err(Into::into).and_then(|()| {
        println!("deploy: unpacking Debian's {}", packages.join(", "));
        if is_root() {
            let _ = finish(program("apt-get").args(["update", "-qq"]));
        }
        // Its own user may not write into this folder.
        let download = ["-o", "APT::Sandbox::User=root", "download", "-qq"];
        finish(program("apt-get").current_dir(&downloaded).args(download).args(packages))?;
        packages_in(&downloaded)?
            .iter()
            .try_for_each(|package| finish(program("dpkg").arg("-x").arg(package).arg(into)))
    });
    if let Err(error) = done {
        println!("deploy: {name} cannot be had: {error}");
    }
}

fn packages_in(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let files: Vec<PathBuf> = files.collect::<std::io::Result<_>>()?;
    Ok(files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "deb")).collect())
}

fn is_there(name: &str) -> bool {
    succeeds(program("sh").args(["-c", &format!("command -v {name}")]))
}
