//! Secret values in memory: wiped when dropped, never printed.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::problem::FieldError;

/// A secret text. `Debug` shows nothing of it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Prefix of a signing secret in the Standard Webhooks form.
    pub const SIGNING_PREFIX: &'static str = "whsec_";
    /// Longest secret, in bytes.
    pub const MAX_BYTES: usize = 1024;
    /// Shortest signing secret a tenant may choose, in characters.
    pub const MIN_SIGNING_CHARS: usize = 16;

    /// Shortest secret that an adapter may hold, and shortest secret part of a URL,
    /// in characters. Where a target answers with a secret, it is taken out of the
    /// answer, and a shorter one would be found in the middle of ordinary words.
    pub const MIN_CHARS: usize = 8;

    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// A signing secret from 24 random bytes, in the Standard Webhooks form.
    pub fn generate_signing(random: [u8; 24]) -> Self {
        Self::new(format!("{}{}", Self::SIGNING_PREFIX, STANDARD.encode(random)))
    }

    /// The value. Every use of this is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is wrong with it as a secret that an adapter sends, if anything.
    pub fn named_problem(&self) -> Option<FieldError> {
        let value = self.expose();
        let detail = if value.len() > Self::MAX_BYTES {
            format!("must be at most {} bytes long", Self::MAX_BYTES)
        } else if value.chars().count() < Self::MIN_CHARS {
            format!(
                "must be at least {} characters long: it is taken out of what targets answer, and a \
                 shorter one could not be told from ordinary text",
                Self::MIN_CHARS
            )
        } else if value.contains(|c: char| c.is_control()) {
            "must not hold control characters, such as a line break at its end".to_owned()
        } else {
            return None;
        };
        Some(FieldError::new("", format!("the secret {detail}")))
    }

    /// The bytes that its text stands for in the Standard Webhooks form: Base64, with
    /// or without `whsec_` before it. None when it is some other text.
    pub fn standard_key(&self) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.expose();
        let encoded = text.strip_prefix(Self::SIGNING_PREFIX).unwrap_or(text);
        STANDARD.decode(encoded).ok().filter(|key| !key.is_empty()).map(Zeroizing::new)
    }

    /// What is wrong with it as a signing secret, if anything.
    pub fn signing_problem(&self) -> Option<FieldError> {
        let value = self.expose();
        let detail = if value.len() > Self::MAX_BYTES {
            format!("must be at most {} bytes long", Self::MAX_BYTES)
        } else if let Some(encoded) = value.strip_prefix(Self::SIGNING_PREFIX) {
            match STANDARD.decode(encoded) {
                Ok(key) if key.len() >= 16 => return None,
                Ok(_) => "must hold at least 16 bytes of base64 after `whsec_`".to_owned(),
                Err(_) => "must be standard base64 after `whsec_`".to_owned(),
            }
        } else if value.chars().count() < Self::MIN_SIGNING_CHARS {
            format!("must be at least {} characters long", Self::MIN_SIGNING_CHARS)
        } else if value.chars().any(char::is_control) {
            "must not hold control characters".to_owned()
        } else {
            return None;
        };
        Some(FieldError::new(
            "",
            format!("the signing secret {detail}; leave it out to have one made"),
        ))
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_signing_secret_must_be_strong_and_well_formed() {
        let wrong = |text: &str| {
            Secret::new(text).signing_problem().map(|problem| problem.detail).unwrap_or_default()
        };
        assert!(wrong("too-short").contains("at least 16 characters"));
        assert!(wrong(&"x".repeat(Secret::MAX_BYTES + 1)).contains("at most 1024 bytes"));
        assert!(wrong("sixteen or more\ncharacters").contains("control characters"));
        assert!(wrong("whsec_c2hvcnQ=").contains("at least 16 bytes of base64"));
        assert!(wrong("whsec_not base64").contains("standard base64"));
        for good in ["sixteen-or-more-characters", "whsec_AAECAwQFBgcICQoLDA0ODw=="] {
            assert_eq!(wrong(good), "");
        }
        assert_eq!(Secret::generate_signing([7; 24]).signing_problem(), None);
    }

    #[test]
    fn a_secret_for_an_adapter_is_one_line_and_long_enough_to_be_found_again() {
        let wrong = |text: &str| {
            Secret::new(text).named_problem().map(|problem| problem.detail).unwrap_or_default()
        };
        for short in ["", "o", "1234567"] {
            assert!(wrong(short).contains("at least 8 characters"), "{short}");
        }
        for control in ["12345678\n", "1234\r\n5678", "12345678\0"] {
            assert!(wrong(control).contains("control characters"), "{control:?}");
        }
        assert!(wrong(&"x".repeat(Secret::MAX_BYTES + 1)).contains("at most 1024 bytes"));
        assert_eq!(wrong("12345678"), "");
        assert_eq!(wrong("pass word"), "");
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new("hunter2-hunter2-hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
