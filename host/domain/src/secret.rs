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
    /// Shortest key that a tenant's signing secret may stand for, in bytes: 128 bits
    /// are more than anybody can guess.
    pub const MIN_SIGNING_KEY_BYTES: usize = 16;

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

    /// What is wrong with it as a signing secret that a tenant chooses, if anything.
    /// What is taken is what every library of Standard Webhooks reads as a secret, so
    /// that the text which the tenant has is all that a receiver needs.
    pub fn signing_problem(&self) -> Option<FieldError> {
        let value = self.expose();
        let detail = if value.len() > Self::MAX_BYTES {
            format!("must be at most {} bytes long", Self::MAX_BYTES)
        } else {
            match self.standard_key() {
                Some(key) if key.len() >= Self::MIN_SIGNING_KEY_BYTES => return None,
                Some(_) => {
                    let least = Self::MIN_SIGNING_KEY_BYTES;
                    format!("must stand for at least {least} bytes; it is Base64 of fewer")
                }
                None => {
                    "must be standard Base64, padded with `=`, with or without `whsec_` before \
                         it: libraries of Standard Webhooks read it so, and would verify nothing \
                         with another text. Make one with `openssl rand -base64 32`"
                        .to_owned()
                }
            }
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
    fn a_chosen_signing_secret_is_one_that_every_library_reads() {
        let wrong = |text: &str| {
            Secret::new(text).signing_problem().map(|problem| problem.detail).unwrap_or_default()
        };
        assert!(wrong(&"x".repeat(Secret::MAX_BYTES + 1)).contains("at most 1024 bytes"));
        for short in ["whsec_c2hvcnQ=", "c2hvcnQ=", "AAAAAAAAAAAAAAAAAAAA"] {
            assert!(wrong(short).contains("at least 16 bytes"), "{short}");
        }
        for other in [
            "",
            "whsec_",
            "sixteen-or-more-characters",
            "whsec_not base64 at all, surely",
            "AAECAwQFBgcICQoLDA0ODw",
            "__8CAwQFBgcICQoLDA0ODw==",
            "AAECAwQFBgcICQoLDA0ODw==\n",
            "WHSEC_AAECAwQFBgcICQoLDA0ODw==",
        ] {
            assert!(wrong(other).contains("standard Base64, padded"), "{other:?}");
        }
        for good in ["whsec_AAECAwQFBgcICQoLDA0ODw==", "AAECAwQFBgcICQoLDA0ODw=="] {
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
