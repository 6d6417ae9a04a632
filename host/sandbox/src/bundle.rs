//! Compiled plugins that travel at the end of the program's own file, so that a first
//! start compiles nothing on a machine that can run them.
//!
//! The file is the program, then the compiled plugins, then an index of them as JSON,
//! the index's length in bytes (`u64`, little endian) and [`MARK`]. Whoever can change
//! it can change the program, so it is trusted as the program is; each compiled plugin
//! carries its digest all the same, against a file that was cut or damaged.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use alerts_package::{Digest, digest};
use serde::{Deserialize, Serialize};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use crate::cache::{Cache, WASMTIME_VERSION};
use crate::compiler::precompile;
use crate::engine::code_config;

/// The last bytes of a program that plugins travel in.
const MARK: &[u8; 16] = b"compiled-plugins";
/// Some hundred bytes for each plugin, of which there are a handful.
const MAX_INDEX_BYTES: u64 = 64 << 10;

/// What compiled code may use of an x86-64 processor: what all have that were sold
/// since 2015, apart from the smallest. Elsewhere plugins are compiled at the start.
const X86_64_FEATURES: [&str; 12] = [
    "has_cmpxchg16b",
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
    "has_avx",
    "has_avx2",
    "has_fma",
    "has_bmi1",
    "has_bmi2",
    "has_lzcnt",
];

/// Why no program with compiled plugins was made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file was not read or written.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A plugin was not compiled.
    #[error("the plugin {digest} does not compile: {detail}")]
    Compile {
        /// The digest of its file.
        digest: Digest,
        /// In the compiler's words.
        detail: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Index {
    /// The exact version that compiled.
    wasmtime: String,
    /// Length of the program without what was added.
    program_bytes: u64,
    plugins: Vec<Compiled>,
}

/// One compiled plugin, and where it is in the file.
#[derive(Serialize, Deserialize)]
struct Compiled {
    /// Of the plugin file.
    plugin: Digest,
    offset: u64,
    bytes: u64,
    /// Of the compiled form.
    seal: Digest,
}

/// Writes a copy of `program` to `into`, with these plugin files in compiled form at its
/// end, for any machine of this architecture and system that is not older than
/// 2015. Blocks for as long as compiling takes.
pub fn bundle(program: &Path, into: &Path, plugins: &[&[u8]]) -> Result<(), BundleError> {
    let of = |path: &Path| {
        let path = path.to_owned();
        move |source| BundleError::File { path, source }
    };
    let mut source = File::open(program).map_err(of(program))?;
    let before = read_index(&mut source).map_err(of(program))?;
    let mut bytes = Vec::new();
    source.rewind().and_then(|()| source.read_to_end(&mut bytes)).map_err(of(program))?;
    if let Some(before) = before {
        bytes.truncate(usize::try_from(before.program_bytes).unwrap_or(usize::MAX));
    }
    let program_bytes = bytes.len() as u64;

    let mut index =
        Index { wasmtime: WASMTIME_VERSION.to_owned(), program_bytes, plugins: Vec::new() };
    for wasm in plugins {
        let plugin = digest(wasm);
        let compiled = portable()
            .and_then(|engine| precompile(&engine, wasm))
            .map_err(|detail| BundleError::Compile { digest: plugin, detail })?;
        index.plugins.push(Compiled {
            plugin,
            offset: bytes.len() as u64,
            bytes: compiled.len() as u64,
            seal: digest(&compiled),
        });
        bytes.extend(compiled);
    }
    let index = serde_json::to_vec(&index).map_err(|error| of(into)(error.into()))?;
    bytes.extend(&index);
    bytes.extend((index.len() as u64).to_le_bytes());
    bytes.extend(MARK);
    write_program(program, into, &bytes).map_err(of(into))
}

/// A program that was there is replaced whole, also while it runs.
fn write_program(like: &Path, into: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = into.with_added_extension(format!("tmp{}", std::process::id()));
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.set_permissions(std::fs::metadata(like)?.permissions())?;
    file.sync_all()?;
    std::fs::rename(unfinished, into)
}

/// An engine that compiles for machines other than this one.
fn portable() -> Result<Engine, String> {
    let mut config = code_config();
    if cfg!(target_os = "linux") {
        for_any(&mut config, std::env::consts::ARCH).map_err(|error| format!("{error:#}"))?;
    }
    Engine::new(&config).map_err(|error| format!("{error:#}"))
}

fn for_any(config: &mut Config, architecture: &str) -> Result<(), wasmtime::Error> {
    // Names the target, and with it nothing that only some processors have.
    config.target(&format!("{architecture}-unknown-linux-gnu"))?;
    if architecture == "x86_64" {
        for feature in X86_64_FEATURES {
            // SAFETY: it changes which instructions are made, not what is compiled, and
            // an engine refuses code for a processor that it does not run on.
            unsafe { config.cranelift_flag_enable(feature) };
        }
    }
    Ok(())
}

/// Puts what travels in `program` into the cache, if it is not there and this machine
/// can run it. What cannot be used is compiled later, so it is only told.
pub(crate) fn unpack(program: &Path, engine: &Engine, cache: &Cache) {
    if let Err(error) = try_unpack(program, engine, cache) {
        tracing::warn!(program = %program.display(), %error, "no compiled plugins were read");
    }
}

fn try_unpack(program: &Path, engine: &Engine, cache: &Cache) -> io::Result<()> {
    let mut file = File::open(program)?;
    let Some(index) = read_index(&mut file)? else { return Ok(()) };
    if index.wasmtime != WASMTIME_VERSION {
        return Err(broken("they were compiled by another version"));
    }
    for compiled in index.plugins {
        if cache.has(engine, &compiled.plugin) {
            continue;
        }
        let code = read_compiled(&mut file, &compiled)?;
        // SAFETY: these are the bytes that `bundle` added to this very program (the
        // seal), made by this exact compiler (the version).
        match unsafe { Component::deserialize(engine, &code) } {
            Ok(_) => cache.put(engine, &compiled.plugin, &code),
            Err(error) => {
                let (plugin, why) = (compiled.plugin, format!("{error:#}"));
                tracing::info!(%plugin, why, "compiled for other machines than this one");
            }
        }
    }
    Ok(())
}

fn read_compiled(file: &mut File, compiled: &Compiled) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(compiled.offset))?;
    let mut code = Vec::new();
    file.take(compiled.bytes).read_to_end(&mut code)?;
    if digest(&code) != compiled.seal {
        return Err(broken("they are damaged"));
    }
    Ok(code)
}

/// What is at the end of a program, if it is one that plugins travel in.
fn read_index(file: &mut File) -> io::Result<Option<Index>> {
    let tail_bytes = size_of::<u64>() + MARK.len();
    let total = file.metadata()?.len();
    let Some(index_end) = total.checked_sub(tail_bytes as u64) else { return Ok(None) };
    file.seek(SeekFrom::Start(index_end))?;
    let (mut length, mut mark) = ([0; size_of::<u64>()], [0; MARK.len()]);
    file.read_exact(&mut length)?;
    file.read_exact(&mut mark)?;
    if mark != *MARK {
        return Ok(None);
    }
    let length = u64::from_le_bytes(length);
    let start = index_end
        .checked_sub(length)
        .filter(|_| length <= MAX_INDEX_BYTES)
        .ok_or_else(|| broken("their index has no good length"))?;
    file.seek(SeekFrom::Start(start))?;
    let mut index = Vec::new();
    file.take(length).read_to_end(&mut index)?;
    Ok(Some(serde_json::from_slice(&index)?))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
