//! Takes secrets out of what comes back, in every usual form, and puts their
//! references in.
//!
//! It works on bytes, since an answer need not be text, and wants to see an answer
//! before it is cut: half a secret would not be found.

use std::borrow::Cow;

use memchr::memmem;

use super::decode::{Decoded, decode};
use super::forms::{self, Form};
use super::references::Reference;

/// How often escapes are undone: JSON in JSON, an encoded URL in an encoded URL. More
/// than that nobody does by accident.
const ROUNDS: usize = 3;

/// Shortest beginning of a secret that is taken out at the end of a text that was cut,
/// in bytes. Fewer tell nothing.
const MIN_BEGINNING: usize = 4;

/// What to look for, and what to put in its place.
#[derive(Debug)]
pub(crate) struct Mask {
    needles: Vec<Needle>,
}

struct Needle {
    /// What is found in the text as it stands, and then after each round of undoing
    /// escapes. A secret may itself look like an escape.
    forms: [Form; ROUNDS + 1],
    reference: String,
}

impl std::fmt::Debug for Needle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Needle").field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// A piece of a text that is a secret.
struct Found<'m> {
    from: usize,
    to: usize,
    reference: &'m str,
}

impl Mask {
    pub(super) fn new(references: &[Reference]) -> Self {
        let mut needles: Vec<Needle> = Vec::new();
        for reference in references {
            for plain in forms::plain(reference) {
                let encoded = forms::encoded(&plain);
                for form in std::iter::once(plain).chain(encoded) {
                    if needles.iter().any(|known| known.forms[0] == form) {
                        continue;
                    }
                    let mut form = form;
                    let forms = std::array::from_fn(|round| {
                        if round > 0
                            && let Some(decoded) = decode(&form)
                        {
                            form = Form::new(decoded.bytes);
                        }
                        form.clone()
                    });
                    needles.push(Needle { forms, reference: reference.text.clone() });
                }
            }
        }
        Self { needles }
    }

    /// The text with references in place of secrets, of its first `keep` bytes. A
    /// secret that began there is taken out whole. With `is_cut`, the text ended too
    /// early, and so perhaps a secret at its end. None when there was none.
    pub(crate) fn hide(&self, text: &[u8], keep: usize, is_cut: bool) -> Option<Vec<u8>> {
        let found = self.find(text, is_cut);
        if found.is_empty() {
            return None;
        }
        let mut hidden = Vec::with_capacity(text.len().min(keep));
        let mut copied = 0;
        for Found { from, to, reference } in found {
            if from >= keep {
                break;
            }
            hidden.extend_from_slice(&text[copied..from]);
            hidden.extend_from_slice(reference.as_bytes());
            copied = to;
        }
        if copied < keep {
            hidden.extend_from_slice(&text[copied..text.len().min(keep)]);
        }
        Some(hidden)
    }

    /// The same for a text that is whole.
    pub(crate) fn hide_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.hide(text.as_bytes(), text.len(), false) {
            None => Cow::Borrowed(text),
            Some(hidden) => Cow::Owned(String::from_utf8_lossy(&hidden).into_owned()),
        }
    }

    /// Everything that is a secret, in order and apart.
    fn find(&self, text: &[u8], is_cut: bool) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        self.find_in(text, 0, is_cut, |at| at, &mut found);
        let mut decoded = decode(text);
        for round in 1..=ROUNDS {
            let Some(Decoded { bytes, at }) = decoded else { break };
            self.find_in(&bytes, round, is_cut, |position| at[position], &mut found);
            decoded = decode(&bytes).map(|next| Decoded {
                bytes: next.bytes,
                at: next.at.into_iter().map(|position| at[position]).collect(),
            });
        }
        // Where two overlap, one piece is taken out, under the name of the first.
        found.sort_by_key(|found| (found.from, std::cmp::Reverse(found.to)));
        let mut apart: Vec<Found<'_>> = Vec::with_capacity(found.len());
        for next in found {
            match apart.last_mut() {
                Some(last) if next.from < last.to => last.to = last.to.max(next.to),
                _ => apart.push(next),
            }
        }
        apart
    }

    fn find_in<'m>(
        &'m self,
        text: &[u8],
        round: usize,
        is_cut: bool,
        at: impl Fn(usize) -> usize,
        found: &mut Vec<Found<'m>>,
    ) {
        for Needle { forms, reference } in &self.needles {
            // Also what it says without its own escapes: whoever answers may have undone them.
            for (number, form) in forms.iter().enumerate().skip(round) {
                if number > round && forms[number - 1] == *form {
                    break;
                }
                let whole = memmem::find_iter(text, form).map(|from| (from, from + form.len()));
                let begun = is_cut.then(|| beginning(text, form)).flatten();
                let begun = begun.map(|length| (text.len() - length, text.len()));
                for (from, to) in whole.chain(begun) {
                    found.push(Found { from: at(from), to: at(to), reference });
                }
            }
        }
    }
}

/// How many bytes at the end of a text are how this form begins.
fn beginning(text: &[u8], form: &[u8]) -> Option<usize> {
    let longest = form.len().saturating_sub(1).min(text.len());
    (MIN_BEGINNING..=longest).rev().find(|length| text.ends_with(&form[..*length]))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;
    use alerts_domain::secret::Secret;

    const REF: &str = "«ref»";
    const TOKEN: &str = "t0ken/with \"quotes\"&é";
    const URL_REST: &str = "services/T024/B024/Xq7-random_part?thread=a-second-secret";

    fn mask_of(value: &str, is_url_part: bool) -> Mask {
        let value = Secret::new(value);
        Mask::new(&[Reference { text: REF.to_owned(), value, is_url_part }])
    }

    fn hidden(mask: &Mask, text: impl AsRef<[u8]>) -> Vec<u8> {
        let text = text.as_ref();
        mask.hide(text, text.len(), false).unwrap_or_else(|| text.to_vec())
    }

    fn hidden_text(mask: &Mask, text: &str) -> String {
        String::from_utf8(hidden(mask, text)).unwrap()
    }

    #[test]
    fn a_value_is_taken_out_in_every_usual_form() {
        let mask = mask_of(TOKEN, false);
        let json = serde_json::Value::from(TOKEN).to_string();
        let twice = serde_json::Value::from(&json[1..json.len() - 1]).to_string();
        let percent: String = TOKEN.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let html = TOKEN.replace('&', "&amp;").replace('"', "&quot;").replace('/', "&#x2F;");
        let form: String = url::form_urlencoded::byte_serialize(TOKEN.as_bytes()).collect();
        for written in [
            TOKEN.to_owned(),
            json[1..json.len() - 1].to_owned(),
            json[1..json.len() - 1].replace('/', "\\/").replace('é', "\\u00E9"),
            json[1..json.len() - 1].replace('/', "\\u002f"),
            // JSON in JSON.
            twice[1..twice.len() - 1].to_owned(),
            form.replace('+', "%20"),
            form.replace("%2F", "%2f"),
            form.replace('%', "%25"),
            form,
            percent.to_uppercase(),
            percent,
            html,
            hex::encode(TOKEN),
            hex::encode_upper(TOKEN),
        ] {
            let told = hidden_text(&mask, &format!("you sent [{written}], thanks"));
            assert_eq!(told, format!("you sent [{REF}], thanks"), "{written}");
        }
    }

    #[test]
    fn a_value_is_taken_out_of_base64_wherever_it_stands_in_it() {
        let mask = mask_of(TOKEN, false);
        for before in ["", "u", "us", "use", "user:"] {
            let whole = format!("{before}{TOKEN} and more");
            for encoded in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                let told = hidden_text(&mask, &encoded);
                assert!(told.contains(REF), "{before}: {told}");
                // At most the characters at its two ends are left, which are not its alone.
                let left = told.len() - REF.len() + TOKEN.len() * 4 / 3;
                assert!(left <= encoded.len() + 4, "{before}: {told}");
            }
        }
    }

    #[test]
    fn of_a_secret_url_the_last_part_alone_is_taken_out_too() {
        let mask = mask_of(URL_REST, true);
        for written in [
            URL_REST.to_owned(),
            "services/T024/B024/Xq7-random_part".to_owned(),
            "\\/services\\/T024\\/B024\\/Xq7-random_part".to_owned(),
            "Xq7-random_part".to_owned(),
            "a-second-secret".to_owned(),
        ] {
            let told = hidden_text(&mask, &format!("unknown: {written}!"));
            assert!(told.ends_with(&format!("{REF}!")) && !told.contains("Xq7"), "{told}");
        }
        // What leads there is no secret.
        assert_eq!(hidden_text(&mask, "services are down"), "services are down");
    }

    #[test]
    fn of_basic_credentials_the_password_is_taken_out_too() {
        let mask = mask_of(&STANDARD.encode("bot:hunter2-hunter2"), false);
        assert_eq!(
            hidden_text(&mask, "bad password hunter2-hunter2"),
            format!("bad password {REF}")
        );
        assert_eq!(hidden_text(&mask, "robot"), "robot");
    }

    #[test]
    fn bytes_that_are_no_text_stand_beside_it() {
        let mask = mask_of(TOKEN, false);
        let told = hidden(&mask, [&[0xff], TOKEN.as_bytes(), &[0xfe, 0x80]].concat());
        assert_eq!(told, [&[0xff], REF.as_bytes(), &[0xfe, 0x80]].concat());
    }

    #[test]
    fn a_secret_across_the_border_is_taken_out_whole() {
        let mask = mask_of(TOKEN, false);
        let text = format!("0123456789{TOKEN}more");
        for keep in 11..text.len() {
            let told = mask.hide(text.as_bytes(), keep, false).unwrap();
            let told = String::from_utf8(told).unwrap();
            let past = keep.saturating_sub(10 + TOKEN.len());
            assert_eq!(told, format!("0123456789{REF}{}", &"more"[..past]), "{keep}");
        }
    }

    #[test]
    fn the_beginning_of_a_secret_at_the_end_of_a_broken_answer_is_taken_out() {
        let mask = mask_of("services/T024/B024/XXXX", false);
        for tail in ["serv", "services/T0", r"services\/T0", r"services\/T024\u00", "services%2"] {
            let text = format!("you sent {tail}");
            let told = mask.hide(text.as_bytes(), text.len(), true).unwrap();
            assert_eq!(told, format!("you sent {REF}").into_bytes(), "{tail}");
        }
        assert_eq!(mask.hide(b"you sent serv", 13, false), None, "the text is whole");
    }

    #[test]
    fn a_secret_that_looks_like_an_escape_is_found_as_it_is() {
        let mask = mask_of("a%2Fb\\u0041&amp;c", false);
        assert_eq!(hidden_text(&mask, "x a%2Fb\\u0041&amp;c y"), format!("x {REF} y"));
        assert_eq!(hidden_text(&mask, "x a/bA&c y"), format!("x {REF} y"));
    }

    #[test]
    fn a_value_too_short_to_be_told_apart_is_left() {
        assert_eq!(hidden_text(&mask_of("o", false), "no, not so"), "no, not so");
        assert_eq!(hidden_text(&mask_of("x", true), "an index"), "an index");
    }

    proptest! {
        #[test]
        fn no_text_is_garbled_that_holds_no_secret(text: Vec<u8>) {
            prop_assert_eq!(hidden(&mask_of(TOKEN, false), &text), text);
        }

        #[test]
        fn percent_encoding_any_of_its_bytes_hides_no_secret(which: Vec<bool>) {
            let escaped: String = TOKEN
                .bytes()
                .zip(which.into_iter().chain(std::iter::repeat(true)))
                .map(|(byte, escape)| {
                    if escape || !byte.is_ascii() { format!("%{byte:02X}") } else { char::from(byte).to_string() }
                })
                .collect();
            prop_assert_eq!(hidden_text(&mask_of(TOKEN, false), &escaped), REF);
        }
    }
}
