//! Makes a plugin file: a core module becomes a component, and a component gets
//! its manifest.

use wasm_encoder::{ComponentSection, CustomSection};
use wit_component::ComponentEncoder;

use crate::read::top_level;
use crate::{InvalidManifest, MANIFEST_SECTION, Manifest, ManifestError};

/// Why a core module did not become a plugin file.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The module does not say which world it implements, or does not implement it.
    #[error(
        "plugin `{id}`: the core module does not become a component of the plugin contract: {source:#}"
    )]
    Component {
        /// From the manifest.
        id: String,
        /// In wit-component's words, which name the missing export or the stray import.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The component came out, but could not take its manifest.
    #[error(transparent)]
    Pack(#[from] PackError),
}

/// Why a component could not take a manifest.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The manifest itself is wrong.
    #[error("the manifest of plugin `{id}` is not valid: {source}")]
    Manifest {
        /// From the manifest.
        id: String,
        /// Which field, and why.
        source: InvalidManifest,
    },
    /// The file is not a component.
    #[error("plugin `{id}`: {source}")]
    Component {
        /// From the manifest.
        id: String,
        /// What it is instead.
        source: ManifestError,
    },
}

/// Makes a plugin file of a core module built with `wit-bindgen`.
pub fn encode(core_module: &[u8], manifest: &Manifest) -> Result<Vec<u8>, EncodeError> {
    let component = ComponentEncoder::default()
        .validate(true)
        .module(core_module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| EncodeError::Component {
            id: manifest.id.clone(),
            source: error.into(),
        })?;
    Ok(pack(&component, manifest)?)
}

/// Makes a plugin file of a component, replacing the manifest it may have.
/// Everything else stays byte for byte.
pub fn pack(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, PackError> {
    let id = || manifest.id.clone();
    let json = manifest.to_json().map_err(|source| PackError::Manifest { id: id(), source })?;
    let sections =
        top_level(component).map_err(|source| PackError::Component { id: id(), source })?;
    let mut packed = component[..PREAMBLE_BYTES].to_vec();
    for section in sections.iter().filter(|section| section.manifest.is_none()) {
        packed.extend_from_slice(&component[section.whole.clone()]);
    }
    CustomSection { name: MANIFEST_SECTION.into(), data: json.into() }
        .append_to_component(&mut packed);
    Ok(packed)
}

/// Magic number, version and layer.
const PREAMBLE_BYTES: usize = 8;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::read_manifest;

    pub(crate) fn manifest() -> Manifest {
        Manifest::from_toml("id = 'cel'\nkind = 'condition'\nversion = '1.0.0'\nsummary = 'CEL.'\n")
            .unwrap()
    }

    /// A component with a nested module, so that there is something to skip.
    pub(crate) fn component() -> Vec<u8> {
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::ModuleSection(&wasm_encoder::Module::new()));
        component.section(&CustomSection { name: "other".into(), data: b"kept"[..].into() });
        component.finish()
    }

    #[test]
    fn packing_again_replaces_the_manifest_and_keeps_the_rest() {
        let first = pack(&component(), &manifest()).unwrap();
        assert!(first.starts_with(&component()));

        let mut newer = manifest();
        newer.version = "2.0.0".into();
        let second = pack(&first, &newer).unwrap();
        assert_eq!(read_manifest(&second).unwrap(), newer);
        assert_eq!(second, pack(&component(), &newer).unwrap());
        wasmparser::validate(&second).unwrap();
    }

    #[test]
    fn a_manifest_that_is_not_valid_is_never_packed() {
        let mut manifest = manifest();
        manifest.id = "CEL".into();
        let message = pack(&component(), &manifest).unwrap_err().to_string();
        assert!(message.contains("`id` must be"), "{message}");
    }

    #[test]
    fn a_core_module_is_not_packed_but_encoded() {
        let module = wasm_encoder::Module::new().finish();
        assert!(matches!(pack(&module, &manifest()), Err(PackError::Component { .. })));
        // Without the contract's metadata there is no world to encode it for,
        // so the component is empty; admission checks its exports.
        assert_eq!(read_manifest(&encode(&module, &manifest()).unwrap()).unwrap(), manifest());
        assert!(matches!(
            encode(b"\0asm\x01\0\0\0\x01\x7f", &manifest()),
            Err(EncodeError::Component { .. })
        ));
    }
}
