//! The plugins inside the binary: how they get into a sandbox. Those from
//! elsewhere are the engine's business.

use std::path::{Path, PathBuf};

use alerts_engine::{PluginSource, Plugins};
use alerts_sandbox::{BundleError, Compiler, LoadError, Sandbox};

/// Name and bytes of every plugin file that was there when this was built. Not a constant:
/// the program would hold a copy of all of them for each unit of code that reads it.
pub static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/builtin_files.rs"));

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

/// The file of this very program.
pub fn program() -> std::io::Result<PathBuf> {
    // By this link even after the file was replaced by a newer version: a
    // compiled plugin must come from the exact compiler that loads it.
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() { Ok(link) } else { std::env::current_exe() }
}

/// Compiles in a child process of this very program.
pub fn child_compiler(program: PathBuf) -> Compiler {
    Compiler::Child { program, args: vec![COMPILE_ARGUMENT.into()] }
}

/// Writes a copy of this program that brings the plugins inside it in compiled form.
pub fn bundle(into: &Path) -> Result<(), BundleError> {
    let program = program().map_err(|source| BundleError::File { path: into.into(), source })?;
    let plugins: Vec<&[u8]> = FILES.iter().map(|(_, wasm)| *wasm).collect();
    alerts_sandbox::bundle(&program, into, &plugins)
}

/// Loads the plugins inside the binary. Blocks for as long as compiling takes.
pub fn load(sandbox: &Sandbox, plugins: &Plugins) -> Result<(), BuiltinError> {
    for (name, wasm) in FILES {
        let plugin = sandbox.load(wasm).map_err(|source| BuiltinError { name, source })?;
        plugins.insert(PluginSource::BuiltIn, plugin);
    }
    Ok(())
}

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
