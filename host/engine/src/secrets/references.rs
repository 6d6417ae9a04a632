//! References: what an adapter writes in place of a secret's value, and how the
//! value gets in as the bytes leave.

use std::sync::OnceLock;

use alerts_domain::endpoint::{EndpointSecrets, split_url};
use alerts_domain::secret::Secret;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Mask, Place};

/// How every reference begins.
const PREFIX: &str = "exosphere-secret-";

/// A name that no manifest may give to a secret, for the rest of a secret URL.
const URL_PART: &str = "target-url";

/// The stand-ins for all secrets of one endpoint.
#[derive(Debug)]
pub(crate) struct References {
    /// The named secrets in the order of their names, then the URL's secret part if
    /// there is one.
    known: Vec<Reference>,
    /// Made when the first answer is looked through.
    mask: OnceLock<Mask>,
}

/// A stand-in for one value.
#[derive(Debug)]
pub(super) struct Reference {
    /// What the adapter writes. Derived from the signing secret, so that nobody
    /// who merely posts events can write one into an event and have the host put
    /// the value into a message. Made of characters that survive in a URL, a
    /// header and JSON.
    pub(super) text: String,
    pub(super) value: Secret,
    /// The rest of a secret URL: it is in the form that a URL needs already.
    pub(super) is_url_part: bool,
}

/// With its values in place, a text would be longer than may be sent. Nothing was
/// built yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong {
    /// How long, in bytes.
    pub(crate) bytes: usize,
}

impl References {
    /// To all that an endpoint holds.
    pub(crate) fn to(secrets: &EndpointSecrets) -> Self {
        let signing = &secrets.signing;
        let named = secrets.named.iter().map(|(name, value)| Reference {
            text: text_for(signing, name),
            value: value.clone(),
            is_url_part: false,
        });
        let url_part = secrets.url.as_ref().map(|url| Reference {
            text: text_for(signing, URL_PART),
            value: Secret::new(split_url(url.expose()).1),
            is_url_part: true,
        });
        Self { known: named.chain(url_part).collect(), mask: OnceLock::new() }
    }

    /// The texts that stand for named secrets, in the order of the names.
    pub(crate) fn named(&self) -> impl Iterator<Item = &str> {
        let named = self.known.iter().filter(|reference| !reference.is_url_part);
        named.map(|reference| reference.text.as_str())
    }

    /// The text that stands for what comes after the host in a secret URL.
    pub(crate) fn url_part(&self) -> Option<&str> {
        let mut known = self.known.iter();
        known.find(|reference| reference.is_url_part).map(|reference| reference.text.as_str())
    }

    /// What takes the values out again; none when there are no secrets.
    pub(crate) fn mask(&self) -> Option<&Mask> {
        (!self.known.is_empty()).then(|| self.mask.get_or_init(|| Mask::new(&self.known)))
    }

    /// Puts values in place of references, if the whole fits into `max_bytes`. None
    /// when there is nothing to put in, whatever the length.
    pub(crate) fn fill(
        &self,
        text: &str,
        place: Place,
        max_bytes: usize,
    ) -> Result<Option<String>, TooLong> {
        if self.known.is_empty() {
            return Ok(None);
        }
        let mut escaped: Vec<Option<std::borrow::Cow<'_, str>>> = vec![None; self.known.len()];
        let mut found: Vec<(usize, usize)> = Vec::new();
        // Each value is escaped once, and the length known before anything is built: a
        // body may hold one reference many thousand times.
        let mut bytes = text.len();
        for (at, _) in text.match_indices(PREFIX) {
            let known = self.known.iter().position(|known| text[at..].starts_with(&known.text));
            let Some(known) = known else { continue };
            let Reference { text: reference, value, is_url_part } = &self.known[known];
            let value = escaped[known].get_or_insert_with(|| match place {
                Place::Url if *is_url_part => value.expose().into(),
                _ => place.escape(value.expose()),
            });
            bytes = bytes - reference.len() + value.len();
            found.push((at, known));
        }
        if found.is_empty() {
            return Ok(None);
        }
        if bytes > max_bytes {
            return Err(TooLong { bytes });
        }
        let mut filled = String::with_capacity(bytes);
        let mut copied = 0;
        for (at, known) in found {
            filled.push_str(&text[copied..at]);
            filled.push_str(escaped[known].as_deref().unwrap_or_default());
            copied = at + self.known[known].text.len();
        }
        filled.push_str(&text[copied..]);
        Ok(Some(filled))
    }

    /// The same for a body. A body that is not UTF-8 cannot hold a reference.
    pub(crate) fn fill_body(
        &self,
        body: &Bytes,
        place: Place,
        max_bytes: usize,
    ) -> Result<Option<Bytes>, TooLong> {
        if self.known.is_empty() {
            return Ok(None);
        }
        let Ok(text) = std::str::from_utf8(body) else { return Ok(None) };
        Ok(self.fill(text, place, max_bytes)?.map(Bytes::from))
    }
}

fn text_for(signing: &Secret, name: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(signing.expose().as_bytes()).expect("any length");
    mac.update(b"exosphere secret reference\0");
    mac.update(name.as_bytes());
    let tag = hex::encode(&mac.finalize().into_bytes()[..10]);
    format!("{PREFIX}{name}-{tag}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn references(named: &[(&str, &str)]) -> References {
        let named = named.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
        References::to(&EndpointSecrets {
            signing: Secret::new("one-signing-secret"),
            previous_signing: None,
            url: None,
            named: BTreeMap::from_iter(named),
        })
    }

    #[test]
    fn a_reference_cannot_be_guessed_from_its_name() {
        let one = text_for(&Secret::new("one-signing-secret"), "token");
        let two = text_for(&Secret::new("two-signing-secret"), "token");
        assert_ne!(one, two);
        assert_eq!(one, text_for(&Secret::new("one-signing-secret"), "token"));
    }

    #[test]
    fn values_are_put_in_at_every_place_and_only_once() {
        let known = references(&[("a", "first/1"), ("b", "second")]);
        let [a, b]: [&str; 2] = known.named().collect::<Vec<_>>().try_into().unwrap();
        let text = format!("{a}{b} {PREFIX}c-00 {a}");
        let filled = known.fill(&text, Place::Url, 1000).unwrap().unwrap();
        assert_eq!(filled, format!("first%2F1second {PREFIX}c-00 first%2F1"));
        assert_eq!(known.fill("nothing here", Place::Plain, 0), Ok(None));
        // A value that looks like a reference is sent as it is.
        let nested = references(&[("a", b), ("b", "second")]);
        let filled = nested.fill(nested.named().next().unwrap(), Place::Plain, 1000).unwrap();
        assert_eq!(filled.as_deref(), Some(b));
    }

    #[test]
    fn a_text_that_would_be_too_long_is_refused_before_it_is_built() {
        let known = references(&[("a", &"x".repeat(1024))]);
        let body = Bytes::from(known.named().next().unwrap().repeat(21_000));
        let max = 21_000 * 1024;
        let filled = known.fill_body(&body, Place::Plain, max).unwrap().unwrap();
        assert_eq!(filled.len(), max);
        let refused = known.fill_body(&body, Place::Plain, max - 1);
        assert_eq!(refused, Err(TooLong { bytes: max }));
    }
}
