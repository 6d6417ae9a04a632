//! Lists what a new project gets a copy of: the SDK's sources and the contract.

use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    println!("cargo::rerun-if-changed=build.rs");
    let out = std::env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    let mut list = String::new();
    for (name, folder, ending) in
        [("SDK_FILES", "plugins/sdk/src", "rs"), ("WIT_FILES", "wit", "wit")]
    {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        list.push_str(&format!("/// Name and text.\nconst {name}: &[(&str, &str)] = &[\n"));
        for file in files(&folder, ending) {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = file.display().to_string();
            list.push_str(&format!("    ({name:?}, include_str!({path:?})),\n"));
        }
        list.push_str("];\n");
    }
    if let Err(error) = std::fs::write(out.join("copied_files.rs"), list) {
        println!("cargo::error=the list of copied files cannot be written: {error}");
    }
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .collect();
    files.sort();
    if files.is_empty() {
        println!("cargo::error={} has no .{ending} files", folder.display());
    }
    files
}
