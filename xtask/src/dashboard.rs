//! `cargo xtask dashboard`: builds the web app that the host embeds, and writes the copy
//! of the API's description that its client is made from.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Instant, SystemTime};

use crate::command::{finish, has_npm, output, program};
use crate::{Outcome, root, workspace};

/// Build the dashboard into dashboard/dist, which the host embeds.
///
/// Needs Node.js 20 or newer, with npm; without it nothing is built, and the host serves
/// a page that says so. What is there and newer than its sources is left alone.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Write dashboard/openapi.json anew, from which the dashboard's client is made, and
    /// build nothing else.
    #[arg(long)]
    openapi: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    if args.openapi { write_description() } else { build() }
}

fn folder() -> PathBuf {
    root().join("dashboard")
}

/// A test holds this file against what the host serves.
fn write_description() -> Outcome {
    workspace::build()?;
    let host = workspace::host();
    let description = output(program(&host.to_string_lossy()).arg("openapi"))
        .ok_or("`exosphere-alerts openapi` failed")?;
    let file = folder().join("openapi.json");
    std::fs::create_dir_all(folder())?;
    std::fs::write(&file, description).map_err(|error| format!("{}: {error}", file.display()))?;
    println!("dashboard: {} is written", file.display());
    Ok(())
}

fn build() -> Outcome {
    let (folder, started) = (folder(), Instant::now());
    if !folder.join("package.json").exists() && folder.join("dist/index.html").exists() {
        println!("dashboard: dashboard/dist is there, built elsewhere");
        return Ok(());
    }
    if !folder.join("package.json").exists() {
        println!("dashboard: dashboard/package.json is not there; the host gets a plain page");
        return Ok(());
    }
    let built = written(&folder.join("dist/index.html"));
    if built.is_some_and(|built| built > newest(&folder)) {
        println!("dashboard: dashboard/dist is there");
        return Ok(());
    }
    if !has_npm() {
        println!(
            "dashboard: npm does not start, so the host gets a plain page; install Node.js 20 or \
             newer, with npm"
        );
        return Ok(());
    }
    install()?;
    finish(npm().args(["run", "--silent", "build"]))?;
    println!("dashboard: ready after {:.1} s", started.elapsed().as_secs_f32());
    Ok(())
}

/// npm, in the dashboard's folder.
pub(crate) fn npm() -> Command {
    let mut npm = program("npm");
    npm.current_dir(folder());
    npm
}

/// Fetches what the dashboard is built and tested from, unless the lock is older than what
/// is there.
pub(crate) fn install() -> Outcome {
    let folder = folder();
    let installed = written(&folder.join("node_modules/.package-lock.json"));
    if installed <= written(&folder.join("package-lock.json")) {
        println!("dashboard: npm ci");
        finish(npm().args(["ci", "--no-audit", "--no-fund", "--silent"]))?;
    }
    Ok(())
}

fn written(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

/// When something in a folder was last written or taken away, but for what a build makes.
fn newest(folder: &Path) -> SystemTime {
    const MADE: [&str; 2] = ["dist", "node_modules"];

    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sources = entries.filter(|entry| !MADE.iter().any(|made| entry.file_name() == *made));
    let written = sources.map(|entry| match entry.path() {
        folder if folder.is_dir() => newest(&folder).max(written_or_never(&folder)),
        file => written_or_never(&file),
    });
    written.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn written_or_never(file: &Path) -> SystemTime {
    written(file).unwrap_or(SystemTime::UNIX_EPOCH)
}
