//! The digest by which a plugin file is named wherever its work is recorded.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest as _, Sha256};

/// SHA-256 of a plugin file. Reads and prints as `sha256:<64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

/// The digest of a file's bytes, manifest included: two files that differ only
/// in what they ask for are two plugins.
pub fn digest(wasm: &[u8]) -> Digest {
    Digest(Sha256::digest(wasm).into())
}

/// The text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a plugin digest: expected `sha256:` and 64 hex digits")]
pub struct InvalidDigest {
    text: String,
}

impl Digest {
    const PREFIX: &str = "sha256:";

    /// The 64 hex digits alone, for file names.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        text.strip_prefix(Self::PREFIX)
            .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok())
            .ok_or_else(|| InvalidDigest { text: text.chars().take(80).collect() })?;
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_published_vector_and_reads_back() {
        // FIPS 180-2, appendix B.1.
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc").to_string(), text);
        assert_eq!(text.parse(), Ok(digest(b"abc")));
        assert_eq!(serde_json::to_string(&digest(b"abc")).unwrap(), format!("\"{text}\""));
    }

    #[test]
    fn a_digest_of_another_length_or_kind_is_refused() {
        for text in ["sha256:ba78", "md5:ba7816bf", "", "ba7816bf8f01cfea"] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
