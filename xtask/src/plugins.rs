//! `cargo xtask plugins`: builds the guests and makes plugin files of them.

use std::path::Path;
use std::time::Instant;

use alerts_package::{Manifest, encode};

use crate::command::finish;
use crate::toolchain::{Choice, TARGET, Toolchain};
use crate::{Outcome, root, target_dir};

/// Build the built-in plugins into plugins/dist/*.wasm.
///
/// Each becomes a WebAssembly component that imports nothing, with its
/// plugin.toml inside. Files whose bytes would not change are left alone, so
/// that nothing which embeds them is rebuilt.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which Rust builds them.
    #[arg(long, value_enum, default_value_t = Choice::Auto)]
    toolchain: Choice,
    /// Where the files go.
    #[arg(long, default_value = "plugins/dist")]
    out: std::path::PathBuf,
}

impl Default for Args {
    fn default() -> Self {
        Self { toolchain: Choice::Auto, out: "plugins/dist".into() }
    }
}

/// A built-in plugin: its crate, and the folder that holds its `plugin.toml`.
struct Guest {
    package: &'static str,
    folder: &'static str,
}

const GUESTS: [Guest; 5] = [
    Guest { package: "alerts-cel", folder: "conditions/cel" },
    Guest { package: "alerts-jsonlogic", folder: "conditions/jsonlogic" },
    Guest { package: "alerts-http", folder: "targets/http" },
    Guest { package: "alerts-pagerduty", folder: "targets/pagerduty" },
    Guest { package: "alerts-slack", folder: "targets/slack" },
];

pub(crate) fn run(args: &Args) -> Outcome {
    let started = Instant::now();
    let toolchain = Toolchain::find(args.toolchain)?;
    let build_dir = target_dir().join(toolchain.folder());
    if !build_dir.exists() {
        println!("plugins: the first build takes one to three minutes");
    }
    let mut cargo = toolchain.cargo_build();
    cargo
        .args(["--release", "--quiet", "--locked", "--manifest-path", "plugins/Cargo.toml"])
        .arg("--target-dir")
        .arg(&build_dir);
    for guest in &GUESTS {
        cargo.args(["--package", guest.package]);
    }
    finish(&mut cargo)?;

    let out = root().join(&args.out);
    std::fs::create_dir_all(&out)?;
    for guest in &GUESTS {
        let module = build_dir
            .join(TARGET)
            .join("release")
            .join(format!("{}.wasm", guest.package.replace('-', "_")));
        pack(guest, &module, &out)?;
    }
    println!("plugins: ready after {:.1} s", started.elapsed().as_secs_f32());
    Ok(())
}

fn pack(guest: &Guest, module: &Path, out: &Path) -> Outcome {
    let author = root().join("plugins").join(guest.folder).join("plugin.toml");
    let text = read(&author)?;
    let manifest = Manifest::from_toml(&String::from_utf8(text)?)
        .map_err(|error| format!("{}: {error}", author.display()))?;
    let plugin = encode(&read(module)?, &manifest)?;
    let file = out.join(format!("{}.wasm", manifest.id));
    let changed = write_if_changed(&file, &plugin)?;
    println!(
        "plugins: {} is {} KB{}",
        file.strip_prefix(root()).unwrap_or(&file).display(),
        plugin.len().div_ceil(1000),
        if changed { "" } else { ", unchanged" }
    );
    Ok(())
}

pub(crate) fn read(path: &Path) -> Outcome<Vec<u8>> {
    Ok(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// By rename, so that a build or a host that reads the file at this moment sees
/// the old plugin or the new one, and never half of one.
pub(crate) fn write_if_changed(file: &Path, bytes: &[u8]) -> Outcome<bool> {
    if std::fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    let unfinished = file.with_extension("wasm.unfinished");
    std::fs::write(&unfinished, bytes)
        .and_then(|()| std::fs::rename(&unfinished, file))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(true)
}
