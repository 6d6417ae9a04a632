//! The dashboard's files, as the build script lists them.

use http::HeaderValue;
use sha2::{Digest as _, Sha256};

use super::encoding::Encoding;

/// A file that is built in.
#[derive(Debug)]
pub(super) struct Embedded {
    /// Below the dashboard's folder.
    pub(super) path: &'static str,
    pub(super) plain: &'static [u8],
    /// None where it would not be smaller.
    pub(super) brotli: Option<&'static [u8]>,
    pub(super) gzip: Option<&'static [u8]>,
}

/// All that was there when this program was built.
pub(super) static FILES: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/dashboard_files.rs"));

/// The page where there was none.
pub(super) static MISSING: Embedded = Embedded {
    path: "index.html",
    plain: include_bytes!("missing.html"),
    brotli: None,
    gzip: None,
};

impl Embedded {
    /// Its bytes in the first of these encodings that it has.
    pub(super) fn for_browser(
        &self,
        accepted: impl Iterator<Item = Encoding>,
    ) -> (Option<Encoding>, &'static [u8]) {
        let encoded = |encoding| match encoding {
            Encoding::Brotli => self.brotli.map(|bytes| (Some(encoding), bytes)),
            Encoding::Gzip => self.gzip.map(|bytes| (Some(encoding), bytes)),
        };
        accepted.into_iter().find_map(encoded).unwrap_or((None, self.plain))
    }

    /// Its type, by the end of its name.
    pub(super) fn media_type(&self) -> HeaderValue {
        let guessed = mime_guess::from_path(self.path).first_or_octet_stream();
        let charset =
            if guessed.type_() == mime_guess::mime::TEXT { "; charset=utf-8" } else { "" };
        HeaderValue::try_from(format!("{guessed}{charset}"))
            .unwrap_or(HeaderValue::from_static("application/octet-stream"))
    }

    /// Tells it from other versions of it.
    pub(super) fn digest(&self) -> [u8; 8] {
        let mut digest = [0; 8];
        digest.copy_from_slice(&Sha256::digest(self.plain)[..8]);
        digest
    }
}
