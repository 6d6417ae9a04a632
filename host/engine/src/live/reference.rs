//! Secret references: what an adapter writes in place of a value.

use alerts_domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A stand-in for a secret value.
#[derive(Debug)]
pub(crate) struct Reference {
    /// What the adapter writes. Derived from the signing secret, so that nobody
    /// who merely posts events can write one into an event and have the host put
    /// the value into a message. Made of characters that survive in a URL, a
    /// header and JSON.
    pub(crate) text: String,
    pub(crate) value: Secret,
    /// The rest of a secret URL: it is in the form that a URL needs already.
    pub(crate) is_url_part: bool,
}

impl Reference {
    /// To the secret that an endpoint holds under `name`.
    pub(crate) fn to_value(signing: &Secret, name: &str, value: &Secret) -> Self {
        Self { text: text_for(signing, name), value: value.clone(), is_url_part: false }
    }

    /// To what comes after the host in a URL that is itself a secret.
    pub(crate) fn to_url_part(signing: &Secret, rest: &str) -> Self {
        // A name that no manifest may give to a secret.
        Self { text: text_for(signing, "target-url"), value: Secret::new(rest), is_url_part: true }
    }
}

fn text_for(signing: &Secret, name: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(signing.expose().as_bytes()).expect("any length");
    mac.update(b"exosphere secret reference\0");
    mac.update(name.as_bytes());
    let tag = hex::encode(&mac.finalize().into_bytes()[..10]);
    format!("exosphere-secret-{name}-{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_cannot_be_guessed_from_its_name() {
        let one = text_for(&Secret::new("one-signing-secret"), "token");
        let two = text_for(&Secret::new("two-signing-secret"), "token");
        assert_ne!(one, two);
        assert_eq!(one, text_for(&Secret::new("one-signing-secret"), "token"));
    }
}
