//! Undoes the escapes in which a text may stand in an answer, and remembers where
//! each byte came from.
//!
//! JSON (`\/`, `\u002f`), percent-encoding and HTML (`&#x2F;`, `&amp;`) at once: what
//! is no escape stays as it is, so this reads any mixture of them.

/// A text without its escapes.
pub(super) struct Decoded {
    /// What it says.
    pub(super) bytes: Vec<u8>,
    /// Where in the source each byte began, and after the last one the source's end.
    pub(super) at: Vec<usize>,
}

/// HTML's named references for the characters that are escaped in it.
const NAMED: [(&[u8], u8); 6] = [
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"sol", b'/'),
];

/// Longest HTML reference, in bytes: `&#x10FFFF;`.
const MAX_REFERENCE: usize = 10;

/// One round of undoing. None when there was no escape. Doubly escaped text needs
/// two rounds.
pub(super) fn decode(source: &[u8]) -> Option<Decoded> {
    // Nearly always: most answers have none.
    memchr::memchr3(b'\\', b'%', b'&', source)?;
    let mut decoded = Decoded {
        bytes: Vec::with_capacity(source.len()),
        at: Vec::with_capacity(source.len() + 1),
    };
    let (mut position, mut found) = (0, false);
    while position < source.len() {
        let mut character = [0; 4];
        let rest = &source[position..];
        let (bytes, taken): (&[u8], usize) = match escape(rest) {
            Escape::Byte(byte, taken) => {
                character[0] = byte;
                (&character[..1], taken)
            }
            Escape::Char(c, taken) => (c.encode_utf8(&mut character).as_bytes(), taken),
            Escape::None => (&rest[..1], 1),
            // Cut off in the middle: it says nothing, and hides nothing before it.
            Escape::Unfinished => break,
        };
        found |= taken > 1;
        decoded.at.resize(decoded.at.len() + bytes.len(), position);
        decoded.bytes.extend_from_slice(bytes);
        position += taken;
    }
    decoded.at.push(source.len());
    (found || position < source.len()).then_some(decoded)
}

/// What a text begins with.
enum Escape {
    /// A byte, and how many bytes of the source stand for it.
    Byte(u8, usize),
    /// The same of a character.
    Char(char, usize),
    None,
    Unfinished,
}

fn escape(rest: &[u8]) -> Escape {
    match rest {
        [b'%', high, low, ..] => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => Escape::Byte((high * 16 + low) as u8, 3),
            _ => Escape::None,
        },
        [b'%'] => Escape::Unfinished,
        [b'%', digit] if hex(*digit).is_some() => Escape::Unfinished,
        [b'\\'] => Escape::Unfinished,
        [b'\\', letter, rest @ ..] => match letter {
            b'/' | b'\\' | b'"' | b'\'' => Escape::Byte(*letter, 2),
            b'b' => Escape::Byte(8, 2),
            b'f' => Escape::Byte(12, 2),
            b'n' => Escape::Byte(b'\n', 2),
            b'r' => Escape::Byte(b'\r', 2),
            b't' => Escape::Byte(b'\t', 2),
            b'u' => utf16(rest),
            _ => Escape::None,
        },
        [b'&', ..] => html(rest),
        _ => Escape::None,
    }
}

/// What follows `\u`.
fn utf16(rest: &[u8]) -> Escape {
    let Some(digits) = rest.get(..4) else {
        let is_begun = rest.iter().all(|digit| hex(*digit).is_some());
        return if is_begun { Escape::Unfinished } else { Escape::None };
    };
    let Some(unit) = number(digits, 16) else { return Escape::None };
    if let Some(c) = char::from_u32(unit) {
        return Escape::Char(c, 6);
    }
    // A character outside the first plane takes two.
    let second = rest.get(4..10).filter(|second| second.starts_with(b"\\u"));
    let second = second.and_then(|second| number(&second[2..], 16));
    let whole = second.and_then(|second| {
        let units = [u16::try_from(unit).ok()?, u16::try_from(second).ok()?];
        char::decode_utf16(units).next()?.ok()
    });
    whole.map_or(Escape::None, |c| Escape::Char(c, 12))
}

fn html(rest: &[u8]) -> Escape {
    let window = &rest[..rest.len().min(MAX_REFERENCE)];
    let Some(end) = memchr::memchr(b';', window) else {
        let is_begun = window.len() < MAX_REFERENCE
            && window[1..].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#');
        return if is_begun && window.len() == rest.len() {
            Escape::Unfinished
        } else {
            Escape::None
        };
    };
    let code = match &window[1..end] {
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        name => NAMED.iter().find(|(known, _)| *known == name).map(|(_, byte)| u32::from(*byte)),
    };
    code.and_then(char::from_u32).map_or(Escape::None, |c| Escape::Char(c, end + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u32, |number, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        number.checked_mul(radix)?.checked_add(digit)
    })
}

fn hex(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(source: &str) -> String {
        let decoded = decode(source.as_bytes());
        let bytes = decoded.map_or_else(|| source.as_bytes().to_vec(), |decoded| decoded.bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn escapes_of_every_kind_are_undone() {
        for (source, meant) in [
            (r"a\/b\u002fc\u002Fd", "a/b/c/d"),
            (r#"\"\\\n\t"#, "\"\\\n\t"),
            ("a%2fb%2Fc%20d%C3%A9", "a/b/c dé"),
            ("&lt;a&#47;b&#x2F;c&#x2f;d&amp;&quot;&apos;&sol;", "<a/b/c/d&\"'/"),
            (r"\ud83d\ude00!", "😀!"),
            ("100% of R&D; a\\q", "100% of R&D; a\\q"),
            (r"\ud83d alone, %zz, &bogus; &#;", r"\ud83d alone, %zz, &bogus; &#;"),
        ] {
            assert_eq!(decoded(source), meant, "{source}");
        }
    }

    #[test]
    fn an_escape_that_was_cut_off_hides_nothing_before_it() {
        for tail in ["%", "%2", r"\", r"\u", r"\u00", "&", "&#x2", "&am"] {
            let source = format!("secret{tail}");
            let decoded = decode(source.as_bytes()).unwrap();
            assert_eq!(
                (decoded.bytes.as_slice(), decoded.at.last()),
                (&b"secret"[..], Some(&source.len()))
            );
        }
    }

    proptest! {
        #[test]
        fn every_byte_knows_where_it_came_from(source: Vec<u8>) {
            if let Some(Decoded { bytes, at }) = decode(&source) {
                prop_assert_eq!(at.len(), bytes.len() + 1);
                prop_assert!(at.is_sorted());
                prop_assert_eq!(at.last(), Some(&source.len()));
            }
        }
    }
}
