//! Writes the C form of the contract's target world into a folder: what
//! `wit-bindgen c` does, without having to install it.

use std::error::Error;
use std::path::{Path, PathBuf};

use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("say into which folder")?.into();
    // Asked for when it runs: checkouts that share a build folder share this program.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("run it with `cargo run`")?;
    let contract = Path::new(&here).join("../../../../wit");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(contract)?;
    let world = resolve.select_world(&[package], Some("target"))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    std::fs::create_dir_all(&folder)?;
    for (name, content) in files.iter() {
        std::fs::write(folder.join(name), content)?;
    }
    Ok(())
}
