//! Compiled plugins on disk, so that a start does not compile what the last
//! one did.
//!
//! Loading machine code is trusting it. So the folder is this user's alone,
//! files appear in it whole (by rename), their names say what they were made
//! of and by which compiler, and each carries the digest of its content: a
//! file that is not exactly what was written is not used.

use std::fs::{self, DirBuilder, File, Permissions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use alerts_package::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::SandboxError;

/// For whoever looks into the folder.
const EXTENSION: &str = "cwasm";
/// The same for a file that is being written, before the writer's process id and
/// a number.
const UNFINISHED: &str = "tmp";
/// Files that stay. A host has a handful of plugins; the rest are their older
/// versions, and older compilers'.
const MAX_FILES: usize = 64;
/// SHA-256, after the compiled code.
const SEAL_BYTES: usize = 32;

pub(crate) struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// Makes the folder, or makes an existing one private.
    pub(crate) fn open(dir: PathBuf) -> Result<Self, SandboxError> {
        let private = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .and_then(|()| fs::set_permissions(&dir, Permissions::from_mode(0o700)));
        match private {
            Ok(()) => Ok(Self { dir }),
            Err(source) => Err(SandboxError::CacheDir { path: dir, source }),
        }
    }

    /// Whether there is a compiled form of a file, which may yet be found damaged.
    pub(crate) fn has(&self, engine: &Engine, digest: &Digest) -> bool {
        self.path(engine, digest).is_file()
    }

    /// The compiled form of a file, if it is there and whole.
    pub(crate) fn get(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let path = self.path(engine, digest);
        match is_sealed(&path) {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(path = %path.display(), "compiled plugin is damaged; compiling again");
                return None;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled plugin does not read");
                return None;
            }
        }
        // Mapped, not read: code that never runs takes no memory.
        //
        // SAFETY: the content is what `put` wrote (the seal), in a folder that
        // no other user can write to, made by this exact compiler (the name).
        match unsafe { Component::deserialize_file(engine, &path) } {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled plugin does not load");
                None
            }
        }
    }

    /// Keeps a compiled form. A cache that cannot be written costs time only.
    pub(crate) fn put(&self, engine: &Engine, digest: &Digest, compiled: &[u8]) {
        let path = self.path(engine, digest);
        if let Err(error) = self.write(&path, compiled) {
            tracing::warn!(path = %path.display(), %error, "compiled plugin not kept");
        }
    }

    fn write(&self, path: &Path, compiled: &[u8]) -> io::Result<()> {
        // Two threads may compile the same file at once.
        static WRITES: AtomicU64 = AtomicU64::new(0);
        let write = WRITES.fetch_add(1, Ordering::Relaxed);
        let unfinished = format!("{UNFINISHED}{}-{write}", std::process::id());
        let unfinished = path.with_extension(unfinished);
        let mut file = File::create(&unfinished)?;
        file.write_all(compiled)?;
        file.write_all(&Sha256::digest(compiled))?;
        // Else a power cut may leave the name without the content.
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        self.remove_oldest()
    }

    fn remove_oldest(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            // Whatever else an operator has there is not ours to remove.
            if !is_ours(&entry.path()) {
                continue;
            }
            // Gone since it was listed: renamed, or removed by another thread.
            let Ok(metadata) = entry.metadata() else { continue };
            files.push((metadata.modified()?, entry.path()));
        }
        files.sort();
        for (_, path) in files.iter().rev().skip(MAX_FILES) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn path(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        let mut key = Sha256::new();
        key.update(digest.hex());
        key.update(WASMTIME_VERSION);
        let mut compiler = HashInto(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut compiler);
        key.update(compiler.0.finalize());
        self.dir.join(hex::encode(key.finalize())).with_extension(EXTENSION)
    }
}

/// The exact version, pinned in the workspace's `Cargo.toml`: wasmtime itself
/// checks only the major one when it loads compiled code. A test compares it.
pub(crate) const WASMTIME_VERSION: &str = "48.0.8";

fn is_ours(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| extension == EXTENSION || extension.starts_with(UNFINISHED))
}

fn is_sealed(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let total = file.metadata()?.len();
    let Some(mut left) = total.checked_sub(SEAL_BYTES as u64) else { return Ok(false) };
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    while left > 0 {
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_exact(&mut buffer[..wanted])?;
        digest.update(&buffer[..wanted]);
        left -= wanted as u64;
    }
    let mut seal = [0; SEAL_BYTES];
    file.read_exact(&mut seal)?;
    Ok(digest.finalize().as_slice() == seal)
}

/// SHA-256 as a hasher: std's own may change between releases.
struct HashInto(Sha256);

impl Hasher for HashInto {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Never asked: the whole digest is taken out instead.
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_the_key_is_the_version_in_use() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
        let lock = fs::read_to_string(lock).unwrap();
        let wanted = format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"\n");
        assert!(lock.contains(&wanted), "set WASMTIME_VERSION to the version in Cargo.lock");
    }

    #[test]
    fn the_oldest_files_make_room() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path().join("cache")).unwrap();
        for index in 0..MAX_FILES + 3 {
            cache.write(&cache.dir.join(format!("{index}.{EXTENSION}")), b"code").unwrap();
        }
        assert_eq!(fs::read_dir(&cache.dir).unwrap().count(), MAX_FILES);
        assert_eq!(fs::metadata(&cache.dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
