//! Lists what a new project gets a copy of: the SDK's sources, the contract, and
//! the contract in C, which is written here so that an author in C needs
//! nothing but a compiler.

use std::error::Error;
use std::path::{Path, PathBuf};

use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Err(error) = write_lists() {
        println!("cargo::error=the files of new projects cannot be listed: {error}");
    }
}

fn write_lists() -> Result<(), Box<dyn Error>> {
    // Asked for when it runs: checkouts that share a build folder share this program.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?;
    let root = Path::new(&here).join("../..");
    let out: PathBuf = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?.into();
    let mut lists = String::new();
    for (name, folder, ending) in
        [("SDK_FILES", "plugins/sdk/src", "rs"), ("WIT_FILES", "wit", "wit")]
    {
        let folder = root.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        lists.push_str(&list(name, "&str", "include_str", &folder, &files(&folder, ending)?));
    }
    for (name, world) in [("C_TARGET_FILES", "target"), ("C_CONDITION_FILES", "condition")] {
        let folder = out.join("c").join(world);
        write_in_c(&root.join("wit"), world, &folder)?;
        lists.push_str(&list(name, "&[u8]", "include_bytes", &folder, &files(&folder, "")?));
    }
    std::fs::write(out.join("copied_files.rs"), lists)?;
    Ok(())
}

/// A constant that holds the files of a folder.
fn list(name: &str, content: &str, include: &str, folder: &Path, files: &[PathBuf]) -> String {
    let mut list = format!("/// Name and content.\nconst {name}: &[(&str, {content})] = &[\n");
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(file).to_string_lossy().into_owned();
        let path = file.display().to_string();
        list.push_str(&format!("    ({name:?}, {include}!({path:?})),\n"));
    }
    list + "];\n"
}

/// What `wit-bindgen c` writes: a header, its code, and an object file that says
/// in a custom section which world this is.
fn write_in_c(contract: &Path, world: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(contract)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    std::fs::create_dir_all(folder)?;
    for (name, content) in files.iter() {
        std::fs::write(folder.join(name), content)?;
    }
    Ok(())
}

/// Those in a folder and the folders in it with this ending, or all.
fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            println!("cargo::rerun-if-changed={}", path.display());
            files.extend(self::files(&path, ending)?);
        } else if ending.is_empty() || path.extension().is_some_and(|extension| extension == ending)
        {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("{} has no .{ending} files", folder.display()).into());
    }
    Ok(files)
}
