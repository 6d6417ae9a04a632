//! Text that comes from outside, made fit to be kept: both databases can hold it,
//! and it has a bound.

use std::borrow::Cow;

/// What stands in place of a character that a database cannot hold.
const REPLACEMENT: &str = "\u{fffd}";

/// The text without NUL characters: Postgres has no TEXT with one in it. Each
/// becomes U+FFFD, so that a reader sees that something stood there.
pub fn storable(text: &str) -> Cow<'_, str> {
    if is_storable(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\0', REPLACEMENT))
}

/// Whether both databases can hold the text as it is.
pub fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// The text cut to `max_bytes` at a character's end.
pub fn bounded(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// A storable text of at most `max_bytes`, for what a stranger may write at any
/// length: plugins' reasons, answers, errors.
pub fn kept(text: &str, max_bytes: usize) -> String {
    let storable = storable(bounded(text, max_bytes));
    // A replacement is longer than what it replaces.
    bounded(&storable, max_bytes).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_shown_as_a_replacement_and_never_kept() {
        assert_eq!(storable("a\0b"), "a\u{fffd}b");
        assert!(matches!(storable("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn a_kept_text_has_its_bound_also_after_replacements() {
        let kept = kept(&"\0".repeat(100), 10);
        assert!(kept.len() <= 10 && is_storable(&kept), "{kept:?}");
        assert_eq!(bounded("aé", 2), "a", "no character is cut in two");
    }
}
