//! The plugin files: every `*.wasm` in `plugins/dist`, by name.

use std::path::Path;

use crate::{entries, write};

/// Without these a host could neither judge a condition nor send anything.
const NEEDED: [&str; 2] = ["cel", "http"];

pub(crate) fn list(dist: &Path) {
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = entries(dist);
    files.retain(|file| file.extension().is_some_and(|end| end == "wasm"));
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
    write("builtin_files.rs", "plugins", &list);
}

fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
