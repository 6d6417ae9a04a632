//! What a plugin file is: a WebAssembly component that carries its manifest in
//! a custom section.
//!
//! Owns the manifest, how it gets into a file and out again, and the digest by
//! which a file is named. Runs nothing and knows no wasmtime: a manifest is
//! read before anyone decides whether the code may run.

pub mod digest;
pub mod manifest;
mod pack;
mod read;

pub use digest::{Digest, digest};
pub use manifest::{InvalidManifest, Kind, MAX_SETTINGS_BYTES, Manifest, SecretSlot};
pub use pack::{EncodeError, PackError, encode, pack};
pub use read::{ManifestError, read_manifest};

/// Name of the component's top-level custom section that holds the manifest as JSON.
pub const MANIFEST_SECTION: &str = "exosphere:manifest";

/// Largest manifest, in bytes of JSON: a settings schema with texts for a form
/// is a few KiB, and this is parsed before the file is trusted with anything.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;
