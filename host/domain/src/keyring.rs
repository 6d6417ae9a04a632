//! Encryption at rest: AES-256-GCM under one of several keys, so that keys can
//! be changed while old rows still open.

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// An encrypted value as it is stored: `v1.<key id>.<base64 of nonce and ciphertext>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// Takes a stored value as it is; whether it opens is seen when it is opened.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// For storing.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the key that it was sealed with; none for what no keyring has made.
    pub fn key_id(&self) -> Option<&str> {
        let (id, _) = self.0.strip_prefix("v1.")?.split_once('.')?;
        Some(id)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// The keys. The first one encrypts; all of them decrypt.
#[derive(Clone)]
pub struct Keyring(Vec<(String, Aes256Gcm)>);

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

/// The text of the keys is wrong. Never holds key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// No key at all.
    #[error("there is no key: write `id:base64`, where base64 is 32 random bytes")]
    Empty,
    /// An entry without its colon, or with a strange id.
    #[error("key number {0} is not `id:base64`; ids are letters, digits, `-` and `_`")]
    Form(usize),
    /// Not base64 of 32 bytes.
    #[error("key `{0}` is not base64 of exactly 32 bytes; make one with `openssl rand -base64 32`")]
    Length(String),
    /// A key anyone could guess.
    #[error(
        "key `{0}` is a known weak value (all bytes alike); make one with `openssl rand -base64 32`"
    )]
    Weak(String),
    /// The same id twice.
    #[error("key id `{0}` is there twice")]
    Repeated(String),
}

/// A sealed value does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its key is not in the ring.
    #[error(
        "it was encrypted with key `{0}`, which is not in the list of keys; put that key back at the end of the list"
    )]
    UnknownKey(String),
    /// Wrong key under the right id, moved to another row, or damaged.
    #[error(
        "it does not decrypt: the key is another one, or the stored value was moved or damaged"
    )]
    Damaged,
}

impl Keyring {
    const NONCE_BYTES: usize = 12;

    /// Reads `id:base64,id:base64,…`.
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut keys: Vec<(String, Aes256Gcm)> = Vec::new();
        for (index, entry) in text.split(',').map(str::trim).enumerate() {
            if entry.is_empty() {
                continue;
            }
            let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let (id, encoded) = entry
                .split_once(':')
                .filter(|(id, _)| !id.is_empty() && id.chars().all(known))
                .ok_or(KeyringError::Form(index + 1))?;
            let bytes = STANDARD.decode(encoded).map(Zeroizing::new).unwrap_or_default();
            let cipher = Aes256Gcm::new_from_slice(&bytes)
                .map_err(|_| KeyringError::Length(id.to_owned()))?;
            if bytes.iter().all(|byte| *byte == bytes[0]) {
                return Err(KeyringError::Weak(id.to_owned()));
            }
            if keys.iter().any(|(known, _)| known == id) {
                return Err(KeyringError::Repeated(id.to_owned()));
            }
            keys.push((id.to_owned(), cipher));
        }
        if keys.is_empty() { Err(KeyringError::Empty) } else { Ok(Self(keys)) }
    }

    /// One fresh key as text, for a first start.
    pub fn generate(id: &str, random: [u8; 32]) -> String {
        format!("{id}:{}", STANDARD.encode(random))
    }

    /// Encrypts under the first key. `nonce` must be random and never reused;
    /// `place` must be given again to open it.
    pub fn seal(&self, plain: &[u8], place: &str, nonce: [u8; 12]) -> Sealed {
        let (id, cipher) = &self.0[0];
        let payload = Payload { msg: plain, aad: place.as_bytes() };
        let mut bytes = nonce.to_vec();
        // AES-GCM fails only past 64 GiB, and secrets are at most a few KiB.
        #[expect(
            clippy::expect_used,
            reason = "the length is bounded far below the cipher's limit"
        )]
        bytes.extend(cipher.encrypt(&Nonce::from(nonce), payload).expect("short plaintext"));
        Sealed(format!("v1.{id}.{}", STANDARD.encode(bytes)))
    }

    /// Decrypts what [`Self::seal`] made for the same `place`.
    pub fn open(&self, sealed: &Sealed, place: &str) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let id = sealed.key_id().ok_or(OpenError::Damaged)?;
        let encoded = sealed.0.rsplit('.').next().unwrap_or_default();
        let (_, cipher) = self
            .0
            .iter()
            .find(|(known, _)| known == id)
            .ok_or_else(|| OpenError::UnknownKey(id.to_owned()))?;
        let bytes = STANDARD.decode(encoded).map_err(|_| OpenError::Damaged)?;
        let (nonce, text) =
            bytes.split_first_chunk::<{ Self::NONCE_BYTES }>().ok_or(OpenError::Damaged)?;
        let payload = Payload { msg: text, aad: place.as_bytes() };
        let plain =
            cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| OpenError::Damaged)?;
        Ok(Zeroizing::new(plain))
    }

    /// The same keys with another one first; none if there is no such key.
    pub fn with_first(&self, id: &str) -> Option<Self> {
        let at = self.0.iter().position(|(known, _)| known == id)?;
        let mut keys = self.0.clone();
        keys[..=at].rotate_right(1);
        Some(Self(keys))
    }

    /// The keys' ids. The first one is that of the key that encrypts now.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(id, _)| id.as_str())
    }

    /// Whether it was sealed with the key that encrypts now.
    pub fn is_current(&self, sealed: &Sealed) -> bool {
        sealed.key_id() == self.ids().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, seed: u8) -> String {
        Keyring::generate(id, std::array::from_fn(|index| seed.wrapping_add(index as u8)))
    }

    #[test]
    fn a_value_opens_only_in_its_own_place() {
        let ring = Keyring::parse(&key("a", 1)).unwrap();
        let sealed = ring.seal(b"hello", "row 1", [7; 12]);
        assert_eq!(ring.open(&sealed, "row 1").unwrap().as_slice(), b"hello");
        assert_eq!(ring.open(&sealed, "row 2"), Err(OpenError::Damaged));
    }

    #[test]
    fn old_values_open_after_a_new_key_was_put_first() {
        let old = Keyring::parse(&key("a", 1)).unwrap();
        let sealed = old.seal(b"hello", "", [7; 12]);
        let both = Keyring::parse(&format!("{},{}", key("b", 9), key("a", 1))).unwrap();
        assert_eq!(both.open(&sealed, "").unwrap().as_slice(), b"hello");
        assert!(!both.is_current(&sealed));
        let lost = Keyring::parse(&key("b", 9)).unwrap();
        assert_eq!(lost.open(&sealed, ""), Err(OpenError::UnknownKey("a".into())));
    }

    #[test]
    fn any_key_of_the_ring_can_be_made_to_encrypt() {
        let ring = Keyring::parse(&format!("{},{},{}", key("a", 1), key("b", 2), key("c", 3)));
        let ring = ring.unwrap();
        let turned = ring.with_first("b").unwrap();
        assert_eq!(turned.ids().collect::<Vec<_>>(), ["b", "a", "c"]);
        let sealed = turned.seal(b"x", "", [0; 12]);
        assert_eq!(sealed.key_id(), Some("b"));
        assert_eq!(ring.open(&sealed, "").unwrap().as_slice(), b"x");
        assert!(ring.with_first("d").is_none());
    }

    #[test]
    fn wrong_keys_are_refused_by_id() {
        let refuse = |text: &str| Keyring::parse(text).unwrap_err();
        assert_eq!(refuse(""), KeyringError::Empty);
        assert_eq!(refuse("nocolon"), KeyringError::Form(1));
        assert_eq!(refuse("a:c2hvcnQ="), KeyringError::Length("a".into()));
        assert_eq!(refuse(&Keyring::generate("z", [0; 32])), KeyringError::Weak("z".into()));
        assert_eq!(
            refuse(&format!("{},{}", key("a", 1), key("a", 2))),
            KeyringError::Repeated("a".into())
        );
    }

    #[test]
    fn what_no_keyring_has_sealed_is_damage() {
        let ring = Keyring::parse(&key("a", 1)).unwrap();
        let sealed = ring.seal(b"hello", "", [7; 12]).as_str().to_owned();
        let other_version = sealed.replacen("v1.", "v2.", 1);
        for text in ["", "v1", "v1.a", "v1.a.not base64", "v1.a.c2hvcnQ=", &other_version] {
            let opened = ring.open(&Sealed::from_stored(text.to_owned()), "");
            assert_eq!(opened, Err(OpenError::Damaged), "{text}");
        }
    }

    #[test]
    fn neither_keys_nor_sealed_values_print_themselves() {
        let text = key("a", 1);
        let ring = Keyring::parse(&text).unwrap();
        assert_eq!(format!("{ring:?}"), r#"["a"]"#);
        let sealed = ring.seal(b"hello", "", [7; 12]);
        assert!(!format!("{sealed:?}").contains(sealed.as_str().rsplit('.').next().unwrap()));
    }
}
