//! How the sender of a webhook shows that it knows the source's secret. All comparisons
//! take the same time whether they fail at the first byte or at the last.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use crate::secret::Secret;

/// How old a signed time may be, and how far ahead: what Standard Webhooks advises.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Whether `presented` is the secret itself.
pub fn is_from_holder(secret: &Secret, presented: &str) -> bool {
    // What is compared are two digests under the secret, so neither content nor length of
    // the secret shows in the time that it takes.
    let expected = mac(secret.expose().as_bytes(), &[secret.expose().as_bytes()]);
    let expected = expected.finalize().into_bytes();
    mac(secret.expose().as_bytes(), &[presented.as_bytes()]).verify(&expected).is_ok()
}

/// Whether `header` is `sha256=` and the hex of HMAC-SHA256 over the body, keyed with the
/// secret's text: GitHub's `X-Hub-Signature-256`, which many others send too.
pub fn is_hub_signature(secret: &Secret, header: &str, body: &[u8]) -> bool {
    let signature = header.trim().strip_prefix("sha256=").and_then(|text| hex::decode(text).ok());
    let mac = mac(secret.expose().as_bytes(), &[body]);
    signature.is_some_and(|signature| mac.verify_slice(&signature).is_ok())
}

/// Whether one of the signatures in `header` is that of Standard Webhooks 1.0 over id, time
/// and body, and the time is now.
pub fn is_standard_signature(
    secret: &Secret,
    (id, timestamp, header): (&str, &str, &str),
    body: &[u8],
    now: Timestamp,
) -> bool {
    let sent = timestamp.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
    let is_timely = sent.is_some_and(|sent| now.duration_since(sent).abs() <= TOLERANCE);
    let key = secret.standard_key();
    let key = key.as_ref().map_or(secret.expose().as_bytes(), |key| key.as_slice());
    let parts = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let is_one = |text: &str| {
        let signature = text.strip_prefix("v1,").and_then(|text| STANDARD.decode(text).ok());
        signature.is_some_and(|signature| mac(key, &parts).verify_slice(&signature).is_ok())
    };
    is_timely && header.split(' ').any(is_one)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature;

    #[test]
    fn a_hub_signature_is_checked_as_github_documents_it() {
        // The example of "Validating webhook deliveries" in GitHub's documentation.
        let secret = Secret::new("It's a Secret to Everybody");
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(is_hub_signature(&secret, signature, b"Hello, World!"));
        assert!(!is_hub_signature(&secret, signature, b"Hello, World"));
        assert!(!is_hub_signature(&Secret::new("another"), signature, b"Hello, World!"));
        for other in ["", "sha256=", "sha256=75", "sha1=757107ea", &signature[7..]] {
            assert!(!is_hub_signature(&secret, other, b"Hello, World!"), "{other}");
        }
    }

    #[test]
    fn a_token_is_the_secret_to_the_letter() {
        let secret = Secret::new("sixteen-letters!");
        assert!(is_from_holder(&secret, "sixteen-letters!"));
        for other in ["", "sixteen-letters", "sixteen-letters!!", "Sixteen-letters!"] {
            assert!(!is_from_holder(&secret, other), "{other}");
        }
    }

    #[test]
    fn a_standard_signature_is_that_of_this_message_at_this_time() {
        let secret = Secret::generate_signing([7; 24]);
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let signed = signature::headers([&secret].into_iter(), "msg_1", now, b"{}");
        let header = |name: &str| {
            signed.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
        };
        let (time, made) =
            (header("webhook-timestamp").unwrap(), header("webhook-signature").unwrap());
        let holds = |id: &str, body: &[u8], now| {
            is_standard_signature(&secret, (id, &time, &made), body, now)
        };
        assert!(holds("msg_1", b"{}", now));
        assert!(!holds("msg_2", b"{}", now));
        assert!(!holds("msg_1", b"{ }", now));
        assert!(holds("msg_1", b"{}", now + TOLERANCE));
        let late = SignedDuration::from_secs(1);
        assert!(!holds("msg_1", b"{}", now + TOLERANCE + late), "a repeat of an old one");
        assert!(!holds("msg_1", b"{}", now - TOLERANCE - late));
    }
}
