//! The plugins inside the binary, and those in the operator's folder: how they
//! get into a sandbox. What a plugin file must be is the sandbox's business.

use std::io::Read;
use std::path::{Path, PathBuf};

use alerts_engine::Plugins;
use alerts_sandbox::{Compiler, LoadError, Sandbox};

/// Name and bytes of every plugin file that was there when this was built.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/builtin_files.rs"));

/// The argument that makes this program compile a plugin and end.
pub const COMPILE_ARGUMENT: &str = "compile-plugin";

/// A plugin that is built in was refused: the build is wrong, or the machine
/// cannot run it.
#[derive(Debug, thiserror::Error)]
#[error("the built-in plugin `{name}` did not load: {source}")]
pub struct BuiltinError {
    name: &'static str,
    source: LoadError,
}

/// Compiles in a child process of this very program.
pub fn child_compiler() -> std::io::Result<Compiler> {
    // By this link even after the file was replaced by a newer version: a
    // compiled plugin must come from the exact compiler that loads it.
    let link = PathBuf::from("/proc/self/exe");
    let program = if link.exists() { link } else { std::env::current_exe()? };
    Ok(Compiler::Child { program, args: vec![COMPILE_ARGUMENT.into()] })
}

/// Loads the plugins inside the binary. Blocks for as long as compiling takes.
pub fn load(sandbox: &Sandbox, plugins: &Plugins) -> Result<(), BuiltinError> {
    for (name, wasm) in FILES {
        let plugin = sandbox.load(wasm).map_err(|source| BuiltinError { name, source })?;
        plugins.insert(plugin);
    }
    Ok(())
}

/// Loads the `*.wasm` files of a folder, in order of their names. A file that
/// is refused is logged and left out; one with the id of a plugin that is
/// loaded takes its place. Blocks like [`load`].
///
/// # Errors
/// When the folder itself cannot be read.
pub fn load_folder(sandbox: &Sandbox, plugins: &Plugins, folder: &Path) -> std::io::Result<()> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "wasm") {
            paths.push(path);
        }
    }
    paths.sort();
    for path in paths {
        match load_file(sandbox, &path) {
            Ok(plugin) => {
                let (id, digest) = (plugin.id(), plugin.digest());
                tracing::info!(path = %path.display(), id, %digest, "plugin loaded");
                plugins.insert(plugin);
            }
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "plugin refused");
            }
        }
    }
    Ok(())
}

fn load_file(
    sandbox: &Sandbox,
    path: &Path,
) -> Result<std::sync::Arc<alerts_sandbox::Plugin>, Box<dyn std::error::Error>> {
    // One byte more than any sandbox takes: enough for it to say "too large".
    let mut wasm = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut wasm)?;
    Ok(sandbox.load(&wasm)?)
}

/// Most of a plugin file that is read; what the sandbox accepts by default.
const MAX_FILE_BYTES: u64 = alerts_sandbox::SandboxConfig::DEFAULT_WASM_BYTES as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_host_needs_is_built_in() {
        for needed in ["cel", "http"] {
            assert!(FILES.iter().any(|(name, wasm)| *name == needed && !wasm.is_empty()));
        }
    }
}
