//! What plugins say to people: reasons, notes, messages. All of it comes in
//! through here, where each text is cut to a bound and made fit for both
//! databases, so that nothing behind this door needs to ask how long it is.

use alerts_domain::problem::FieldError;
use alerts_domain::text;

use crate::diagnostic::Diagnostic;

/// Longest text of a plugin's that is kept: a verdict's reason or note, a
/// condition's error, one message. A vendor's whole error answer fits; a
/// thousand of them stored are still only a megabyte.
pub const MAX_TEXT_BYTES: usize = 1024;
/// Most diagnostics for one condition, and most problems with one endpoint's
/// settings: more than anybody mends at once.
pub const MAX_MESSAGES: usize = 32;
/// Longest pointer into settings, which are a form's.
pub const MAX_POINTER_BYTES: usize = 256;

/// Of a language that refuses a condition with an empty list.
const NO_REASON: &str = "the condition language refused it without giving a reason, which is a \
                         fault of the plugin; tell its author";

/// A text as it is kept.
pub(crate) fn text(said: String) -> String {
    if said.len() <= MAX_TEXT_BYTES && text::is_storable(&said) {
        return said;
    }
    text::kept(&said, MAX_TEXT_BYTES)
}

/// Why a condition does not compile: at least one diagnostic, the last of which
/// counts those that were left out.
pub(crate) fn diagnostics(said: impl ExactSizeIterator<Item = Diagnostic>) -> Vec<Diagnostic> {
    let all = said.len();
    let mut kept: Vec<Diagnostic> = said
        .take(MAX_MESSAGES)
        .map(|said| Diagnostic { message: text(said.message), ..said })
        .collect();
    if kept.is_empty() {
        kept.push(Diagnostic { message: NO_REASON.to_owned(), offset: 0, length: 0 });
    }
    if let Some(message) = left_out(all) {
        kept.push(Diagnostic { message, offset: 0, length: 0 });
    }
    kept
}

/// What is wrong with settings; the last one counts those that were left out.
pub(crate) fn problems(said: impl ExactSizeIterator<Item = (String, String)>) -> Vec<FieldError> {
    let all = said.len();
    let mut kept: Vec<FieldError> = said
        .take(MAX_MESSAGES)
        // Half a pointer would name another field; the empty one names the whole.
        .map(|(at, message)| match at.len() <= MAX_POINTER_BYTES && text::is_storable(&at) {
            true => FieldError::new(at, text(message)),
            false => FieldError::new("", text(message)),
        })
        .collect();
    kept.extend(left_out(all).map(|message| FieldError::new("", message)));
    kept
}

fn left_out(all: usize) -> Option<String> {
    let more = all.checked_sub(MAX_MESSAGES).filter(|more| *more > 0)?;
    Some(format!("and {more} more, which are not shown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_has_no_nul() {
        assert_eq!(text("as it is".into()), "as it is");
        assert_eq!(text("a\0b".into()), "a\u{fffd}b");
        let long = text("é".repeat(MAX_TEXT_BYTES));
        assert_eq!(long.len(), MAX_TEXT_BYTES);
        assert!(text("\0".repeat(MAX_TEXT_BYTES)).len() <= MAX_TEXT_BYTES);
    }

    #[test]
    fn diagnostics_are_some_tens_and_never_none() {
        let said = |count: u32| {
            let all: Vec<_> = (0..count)
                .map(|offset| Diagnostic { message: "no\0".into(), offset, length: 1 })
                .collect();
            diagnostics(all.into_iter())
        };
        assert_eq!(said(2)[1], Diagnostic { message: "no\u{fffd}".into(), offset: 1, length: 1 });
        assert_eq!(said(32).len(), MAX_MESSAGES);
        let many = said(50_000);
        assert_eq!(many.len(), MAX_MESSAGES + 1);
        assert_eq!(many[MAX_MESSAGES].message, "and 49968 more, which are not shown");
        let [none] = &said(0)[..] else { panic!("one stands for none") };
        assert!(none.message.contains("fault of the plugin"), "{none:?}");
    }

    #[test]
    fn problems_are_some_tens_and_none_where_the_plugin_has_none() {
        let said = |at: &str, count: usize| {
            problems(vec![(at.to_owned(), "\0".repeat(5_000)); count].into_iter())
        };
        assert!(said("/a", 0).is_empty());
        let many = said("/a", 33);
        assert_eq!((many.len(), many[0].pointer.as_str()), (MAX_MESSAGES + 1, "/a"));
        assert!(many[0].detail.len() <= MAX_TEXT_BYTES && !many[0].detail.contains('\0'));
        assert_eq!(many[MAX_MESSAGES].detail, "and 1 more, which are not shown");
        for at in ["/a".repeat(200), "/\0".to_owned()] {
            assert_eq!(said(&at, 1)[0].pointer, "", "of the whole");
        }
    }
}
