//! Lists what is built into the binary: the plugin files of `plugins/dist`, and the
//! dashboard's of `dashboard/dist`.

#![expect(clippy::print_stdout, reason = "cargo reads what a build script prints")]

mod dashboard;
mod plugins;

use std::path::{Path, PathBuf};

fn main() {
    // Asked for when it runs: checkouts that share a build folder share this program.
    let here = variable("CARGO_MANIFEST_DIR");
    let root = here.join("../..");
    println!("cargo::rerun-if-changed={}", here.join("build").display());
    plugins::list(&root.join("plugins/dist"));
    dashboard::list(&root.join("dashboard/dist"));
}

fn variable(name: &str) -> PathBuf {
    std::env::var_os(name).map(PathBuf::from).unwrap_or_default()
}

/// Writes a file that the program includes.
fn write(name: &str, what: &str, text: &str) {
    if let Err(error) = std::fs::write(out().join(name), text) {
        println!("cargo::error=the list of {what} could not be written: {error}");
    }
}

fn out() -> PathBuf {
    variable("OUT_DIR")
}

/// The files and folders in a folder, by name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
