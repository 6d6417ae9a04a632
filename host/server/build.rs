//! Lists the plugin files that are built into the binary: every `*.wasm` in
//! `plugins/dist`, by name.

use std::path::{Path, PathBuf};

/// Without these a host could neither judge a condition nor send anything.
const NEEDED: [&str; 2] = ["cel", "http"];

fn main() {
    // Asked for when it runs: checkouts that share a build folder share this program.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let dist = here.join("../../plugins/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");

    let files = wasm_files(&dist);
    let is_there = |needed: &str| files.iter().any(|file| name(file) == needed);
    let missing: Vec<_> = NEEDED.into_iter().filter(|needed| !is_there(needed)).collect();
    if !missing.is_empty() {
        println!(
            "cargo::error=plugins/dist has no {}.wasm: run `cargo xtask plugins` first",
            missing.join(".wasm and no ")
        );
        return;
    }

    let mut list = String::from("&[\n");
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let path = file.display().to_string();
        list.push_str(&format!("    ({:?}, include_bytes!({path:?})),\n", name(file)));
    }
    list.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    if let Err(error) = std::fs::write(out.join("builtin_files.rs"), list) {
        println!("cargo::error=the list of plugins could not be written: {error}");
    }
}

fn wasm_files(dist: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dist).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut files: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "wasm")).collect();
    files.sort();
    files
}

fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
