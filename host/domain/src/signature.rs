//! Signatures over the exact bytes that leave.
//!
//! Two schemes at once: the platform's own header, easy to check by hand, and
//! the three headers of the Standard Webhooks specification 1.0, for which
//! libraries exist in most languages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::header::Headers;
use crate::secret::Secret;

/// `X-Exosphere-Signature`.
pub const SIGNATURE_HEADER: &str = "x-exosphere-signature";

/// The headers that sign `body`. With several secrets (rotation), each scheme
/// carries one signature per secret, and a receiver accepts any.
///
/// - `x-exosphere-signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over
///   `<t>.<body>`, keyed with the secret's text as shown, `whsec_` included.
/// - `webhook-signature: v1,<base64>`: HMAC-SHA256 over `<id>.<t>.<body>`,
///   keyed with the bytes that the base64 after `whsec_` stands for. The published
///   libraries read a secret without that prefix as base64 too, so one that is
///   base64 signs twice, with what it stands for and with its own bytes. Any other
///   text is taken no more ([`Secret::signing_problem`]); an older release took it, and
///   it goes on signing with its own bytes.
pub fn headers<'a>(
    secrets: impl Iterator<Item = &'a Secret>,
    message_id: &str,
    now: Timestamp,
    body: &[u8],
) -> Headers {
    let seconds = now.as_second().to_string();
    let mut own = format!("t={seconds}");
    let mut standard = String::new();
    for secret in secrets {
        let text = secret.expose();
        let mac = hmac(text.as_bytes(), [seconds.as_bytes(), b".", body]);
        own.push_str(",v1=");
        own.push_str(&hex::encode(mac));
        let has_prefix = text.starts_with(Secret::SIGNING_PREFIX);
        let decoded = secret.standard_key();
        let own_bytes = (decoded.is_none() || !has_prefix).then_some(text.as_bytes());
        for key in decoded.as_ref().map(|key| key.as_slice()).into_iter().chain(own_bytes) {
            let mac = hmac(key, [message_id.as_bytes(), b".", seconds.as_bytes(), b".", body]);
            if !standard.is_empty() {
                standard.push(' ');
            }
            standard.push_str("v1,");
            STANDARD.encode_string(mac, &mut standard);
        }
    }
    [
        (SIGNATURE_HEADER, own),
        ("webhook-id", message_id.to_owned()),
        ("webhook-timestamp", seconds),
        ("webhook-signature", standard),
    ]
    .into_iter()
    .collect()
}

fn hmac<const N: usize>(key: &[u8], parts: [&[u8]; N]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a receiver does that was given the secret as it stands.
    fn verify_with_the_published_library(secret: &Secret) {
        let now = Timestamp::now();
        let signed = headers([secret].into_iter(), "dlv_1", now, br#"{"a":1}"#);
        let map = signed
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let library = standardwebhooks::Webhook::new(secret.expose()).unwrap();
        library.verify(br#"{"a":1}"#, &map).unwrap();
        assert!(library.verify(br#"{"a":2}"#, &map).is_err());
    }

    #[test]
    fn a_published_standard_webhooks_library_accepts_it() {
        verify_with_the_published_library(&Secret::generate_signing([5; 24]));
    }

    #[test]
    fn the_library_accepts_a_base64_secret_that_has_no_prefix() {
        let secret = Secret::new("c3VwZXItc2VjcmV0LWtleS0xMjM0NTY3OA==");
        assert_eq!(secret.signing_problem(), None);
        verify_with_the_published_library(&secret);
        // Who took the text's own bytes as the key, as was said here before, still can.
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let signed = headers([&secret].into_iter(), "dlv_1", now, b"{}");
        let key = secret.expose().as_bytes();
        let own = STANDARD.encode(hmac(key, [&b"dlv_1"[..], b".", b"1700000000", b".", b"{}"]));
        assert!(signed.get("webhook-signature").unwrap().ends_with(&format!(" v1,{own}")));
    }

    #[test]
    fn our_own_header_is_what_openssl_computes() {
        // printf '%s' '1700000000.hello' | openssl dgst -sha256 -hmac 'a-secret-of-mine'
        let secret = Secret::new("a-secret-of-mine");
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let signed = headers([&secret].into_iter(), "dlv_1", now, b"hello");
        let (time, mac) = signed.get(SIGNATURE_HEADER).unwrap().split_once(",v1=").unwrap();
        assert_eq!(time, "t=1700000000");
        assert_eq!(mac, "02451aa695a6ddc46c31504d9cac1935d685315c6bf19b1d80fdad0258050b52");
    }

    #[test]
    fn during_rotation_both_secrets_sign() {
        let secrets = [Secret::generate_signing([1; 24]), Secret::generate_signing([2; 24])];
        let now = Timestamp::now();
        let signed = headers(secrets.iter(), "dlv_1", now, b"{}");
        assert_eq!(signed.get("webhook-signature").unwrap().split(' ').count(), 2);
        assert_eq!(signed.get(SIGNATURE_HEADER).unwrap().matches("v1=").count(), 2);
    }
}
