//! `cargo xtask dist`: what is released, with what it is made of.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cargo_tool::cargo_tool;
use crate::command::{finish, output, program};
use crate::venv::Venv;
use crate::{Outcome, build, root, target_dir, workspace};

/// Make what is released, in target/dist: a tarball, a Debian package, an SBOM and checksums.
///
/// The tarball and the package hold the binary of `cargo xtask build`, the systemd unit and
/// its settings. The SBOM (CycloneDX) names every crate and npm package that is in the
/// binary, with version, licence and checksum. Needs tar, gzip, sha256sum and Python.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What stands beside the binary in the tarball.
const BESIDE: [&str; 4] = ["LICENSE", "README.md", "CHANGELOG.md", "deploy/systemd"];

pub(crate) fn run(_args: &Args) -> Outcome {
    let dist = target_dir().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist)?;
    }
    fs::create_dir_all(&dist)?;
    build::run(&build::Args {})?;
    let binary = target_dir().join("release/exosphere-alerts");
    let name = format!("exosphere-alerts-{VERSION}-{}-linux", std::env::consts::ARCH);

    tarball(&dist, &name, &binary)?;
    debian_package(&binary, VERSION, &dist, &[])?;
    sbom(&dist.join(format!("exosphere-alerts-{VERSION}.cdx.json")))?;
    let files: Vec<_> = names(&dist)?;
    let sums = output(program("sha256sum").current_dir(&dist).args(&files))
        .ok_or("sha256sum is not on this machine, or could not read what was made")?;
    fs::write(dist.join("SHA256SUMS"), sums)?;
    for file in names(&dist)? {
        println!("dist: {}", dist.join(file).display());
    }
    Ok(())
}

/// The packages of the workspace share one.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The same files make the same bytes: sorted, of nobody, and of the time of the commit.
fn tarball(dist: &Path, name: &str, binary: &Path) -> Outcome {
    let folder = dist.join(name);
    fs::create_dir_all(&folder)?;
    fs::copy(binary, folder.join("exosphere-alerts"))?;
    finish(program("cp").arg("-R").args(BESIDE).arg(&folder))?;
    let time = output(program("git").args(["log", "-1", "--format=@%ct"]));
    finish(
        program("tar")
            .current_dir(dist)
            .args(["--create", "--gzip", "--sort=name", "--owner=0", "--group=0"])
            .arg("--numeric-owner")
            .arg(format!("--mtime={}", time.as_deref().unwrap_or("@0").trim()))
            .arg(format!("--file={name}.tar.gz"))
            .arg(name),
    )?;
    Ok(fs::remove_dir_all(folder)?)
}

/// A package with this program in it. What else is in it, its scripts included, follows
/// from `package.metadata.deb` in the server's manifest.
fn debian_package(binary: &Path, version: &str, into: &Path, more: &[&str]) -> Outcome {
    let cargo_deb = cargo_tool("cargo-deb")?;
    // It takes the program from below the target folder of its own profile.
    let own = target_dir().join("package");
    let place = own.join("release");
    fs::create_dir_all(&place)?;
    fs::copy(binary, place.join("exosphere-alerts"))?;
    finish(
        program(&cargo_deb)
            .args(["--no-build", "--quiet", "--package", "alerts-server"])
            .args(more)
            .args(["--deb-version", version])
            .env("CARGO_TARGET_DIR", &own)
            .arg("--output")
            .arg(into),
    )
}

/// Every crate and npm package that is in the binary.
fn sbom(into: &Path) -> Outcome {
    let requirements = root().join("deploy/package/requirements.txt");
    let venv = Venv::made(target_dir().join("dist-python"), &requirements)?;
    finish(venv.program("python").arg("deploy/package/sbom.py").arg(into))
}

fn names(dist: &Path) -> Outcome<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dist)? {
        names.push(PathBuf::from(entry?.file_name()));
    }
    names.sort();
    Ok(names)
}

/// For the checks of deploy/: two versions of the package, with the program as the tests
/// build it, so that one can be upgraded to the other.
pub(crate) fn packages_to_test(into: &Path) -> Outcome {
    if into.exists() {
        fs::remove_dir_all(into)?;
    }
    fs::create_dir_all(into)?;
    for version in ["0.0.1", "0.0.2"] {
        let file = into.join(format!("exosphere-alerts-{version}.deb"));
        debian_package(&workspace::host(), version, &file, &["--fast"])?;
    }
    Ok(())
}
