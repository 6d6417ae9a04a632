//! In what forms a value may come back: itself, its telling parts, and the
//! encodings that hide it from a plain search.

use alerts_domain::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::references::Reference;

/// Shortest value that is looked for, in bytes. Secrets are longer since saving asks
/// for that; an older one of fewer bytes would be found in ordinary words.
const MIN_BYTES: usize = 4;

/// A byte string to be found.
pub(super) type Form = Zeroizing<Vec<u8>>;

/// The value, and what of it is a secret by itself.
pub(super) fn plain(reference: &Reference) -> Vec<Form> {
    let value = reference.value.expose();
    let mut forms: Vec<&[u8]> = vec![value.as_bytes()];
    let decoded = credentials(value);
    if reference.is_url_part {
        let (path, query) = value.split_once('?').unwrap_or((value, ""));
        forms.push(path.as_bytes());
        // The part that is made up at random comes last in the path, or in the query.
        forms.extend(path.rsplit('/').find(|segment| !segment.is_empty()).map(str::as_bytes));
        let pairs = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, v)| v));
        forms.extend(pairs.map(str::as_bytes));
    } else if let Some(decoded) = &decoded {
        forms.push(decoded);
        // The password alone, which is what people recognize.
        forms.extend(decoded.splitn(2, |byte| *byte == b':').nth(1));
    }
    let least = |form: &[u8]| if form == value.as_bytes() { MIN_BYTES } else { Secret::MIN_CHARS };
    let forms = forms.into_iter().filter(|form| form.len() >= least(form));
    let mut forms: Vec<Form> = forms.map(|form| Zeroizing::new(form.to_vec())).collect();
    // In a form, a space is a plus.
    if value.contains(' ') {
        forms.push(Zeroizing::new(value.replace(' ', "+").into_bytes()));
    }
    forms
}

/// `user:password`, where the value is that in Base64 (RFC 7617).
fn credentials(value: &str) -> Option<Form> {
    let decoded = Zeroizing::new(STANDARD.decode(value).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    (text.contains(':') && !text.contains(char::is_control)).then_some(decoded.clone())
}

/// How a form looks inside hexadecimal or Base64 text, alone or amid other bytes.
pub(super) fn encoded(form: &[u8]) -> Vec<Form> {
    let mut encoded = vec![
        Zeroizing::new(hex::encode(form).into_bytes()),
        Zeroizing::new(hex::encode_upper(form).into_bytes()),
    ];
    for before in 0..3 {
        // Base64 writes three bytes as four characters, so it depends on the bytes
        // before: the characters that are the value's alone are the same.
        let mut padded = Zeroizing::new(vec![0; before]);
        padded.extend_from_slice(form);
        let text = Zeroizing::new(STANDARD_NO_PAD.encode(&*padded));
        let own = text.as_bytes().get((before * 8).div_ceil(6)..padded.len() * 8 / 6);
        let own = own.unwrap_or_default();
        if own.len() < Secret::MIN_CHARS {
            continue;
        }
        let url_safe = |byte: &u8| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        };
        if own.iter().any(|byte| b"+/".contains(byte)) {
            encoded.push(Zeroizing::new(own.iter().map(url_safe).collect()));
        }
        encoded.push(Zeroizing::new(own.to_vec()));
    }
    encoded
}
