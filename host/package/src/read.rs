//! Reads the manifest out of a plugin file. Looks at section headers of the top
//! level and at nothing inside them, so it is safe and cheap on any bytes.

use std::ops::Range;

use wasmparser::{BinaryReaderError, Chunk, Encoding, Parser, Payload};

use crate::{InvalidManifest, MANIFEST_SECTION, Manifest};

/// Why no manifest could be read from a file.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not WebAssembly in its binary form.
    #[error(
        "this is not a WebAssembly binary (text form and precompiled files are not accepted); \
         give the `.wasm` component"
    )]
    NotWasm,
    /// A core module, not a component.
    #[error(
        "this is a core WebAssembly module, not a component; run `exosphere-alerts plugin pack` on it"
    )]
    CoreModule,
    /// Cut short, or not well-formed at its top level.
    #[error("the component is truncated or malformed")]
    Malformed(#[source] BinaryReaderError),
    /// A component without the manifest's section.
    #[error(
        "the component has no `{MANIFEST_SECTION}` section; put its `plugin.toml` in with \
         `exosphere-alerts plugin pack`"
    )]
    Missing,
    /// More than one manifest: which of them holds would depend on the reader.
    #[error("the component has more than one `{MANIFEST_SECTION}` section; pack it again")]
    Repeated,
    /// There is one, but it is wrong.
    #[error("the manifest is not valid: {0}")]
    Invalid(#[from] InvalidManifest),
}

/// The manifest of a plugin file.
pub fn read_manifest(wasm: &[u8]) -> Result<Manifest, ManifestError> {
    let mut found = None;
    for section in top_level(wasm)? {
        if let Some(manifest) = section.manifest
            && found.replace(manifest).is_some()
        {
            return Err(ManifestError::Repeated);
        }
    }
    Ok(Manifest::from_json(&wasm[found.ok_or(ManifestError::Missing)?])?)
}

/// One section of a component's top level.
pub(crate) struct Section {
    /// With its id and length.
    pub(crate) whole: Range<usize>,
    /// Where the manifest is, if this section holds it.
    pub(crate) manifest: Option<Range<usize>>,
}

/// The sections of a component, in order; nested modules and components are skipped whole.
pub(crate) fn top_level(wasm: &[u8]) -> Result<Vec<Section>, ManifestError> {
    if !wasm.starts_with(b"\0asm") {
        return Err(ManifestError::NotWasm);
    }
    let mut parser = Parser::new(0);
    let mut sections = Vec::new();
    let mut at = 0;
    loop {
        let chunk = parser.parse(&wasm[at..], true).map_err(ManifestError::Malformed)?;
        let Chunk::Parsed { consumed, payload } = chunk else {
            // Asked only while there may be more, which `eof` rules out.
            return Err(ManifestError::NotWasm);
        };
        let start = at;
        at += consumed;
        let mut manifest = None;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => {
                return Err(ManifestError::CoreModule);
            }
            Payload::Version { .. } => continue,
            Payload::End(_) => return Ok(sections),
            // The parser does not check that what it would descend into is there.
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => {
                let nested_bytes = unchecked_range.end - unchecked_range.start;
                at = usize::try_from(nested_bytes)
                    .ok()
                    .and_then(|nested| at.checked_add(nested))
                    .filter(|end| *end <= wasm.len())
                    .ok_or_else(|| truncated(at))?;
            }
            Payload::CustomSection(custom) if custom.name() == MANIFEST_SECTION => {
                manifest = Some(at - custom.data().len()..at);
            }
            _ => {}
        }
        sections.push(Section { whole: start..at, manifest });
    }
}

/// The parser's own error for a section that runs past the end of the file.
fn truncated(at: usize) -> ManifestError {
    let mut reader = wasmparser::BinaryReader::new(&[], at as u64);
    match reader.read_u8() {
        Err(error) => ManifestError::Malformed(error),
        Ok(_) => ManifestError::NotWasm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::tests::{component, manifest};
    use crate::{Kind, pack};

    #[test]
    fn a_manifest_is_read_from_the_top_level_and_nowhere_else() {
        let inner = pack(&component(), &manifest()).unwrap();
        let mut outer = wasm_encoder::Component::new();
        outer.section(&wasm_encoder::RawSection { id: 4, data: &inner });
        let outer = outer.finish();
        assert!(matches!(read_manifest(&outer), Err(ManifestError::Missing)));

        assert_eq!(read_manifest(&inner).unwrap().kind, Kind::Condition);
    }

    #[test]
    fn a_file_that_is_no_component_says_what_it_is() {
        let module = wasm_encoder::Module::new().finish();
        assert!(matches!(read_manifest(&module), Err(ManifestError::CoreModule)));
        for other in [&b""[..], b"(component)", b"\x7fELF\x02\x01\x01\0"] {
            assert!(matches!(read_manifest(other), Err(ManifestError::NotWasm)));
        }
    }

    #[test]
    fn a_file_cut_at_any_byte_gives_an_error_and_never_a_manifest() {
        let whole = pack(&component(), &manifest()).unwrap();
        for end in 0..whole.len() {
            assert!(read_manifest(&whole[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn a_second_manifest_is_refused() {
        let mut twice = pack(&component(), &manifest()).unwrap();
        let json = manifest().to_json().unwrap();
        wasm_encoder::ComponentSection::append_to_component(
            &wasm_encoder::CustomSection { name: MANIFEST_SECTION.into(), data: (&json).into() },
            &mut twice,
        );
        assert!(matches!(read_manifest(&twice), Err(ManifestError::Repeated)));
    }

    #[test]
    fn a_manifest_with_a_wrong_field_is_reported_with_the_field() {
        let mut wasm = component();
        wasm_encoder::ComponentSection::append_to_component(
            &wasm_encoder::CustomSection {
                name: MANIFEST_SECTION.into(),
                data: br#"{"id":"x","knid":1}"#.into(),
            },
            &mut wasm,
        );
        let message = read_manifest(&wasm).unwrap_err().to_string();
        assert!(message.contains("unknown field `knid`"), "{message}");
    }
}
