//! What the readers of JSON and of queries say, without the names of types that
//! only this program knows.

/// Words of the readers, and those of the API.
const WORDS: [(&str, &str); 9] = [
    ("expected u32", "expected a whole number from 0 to 4294967295"),
    ("expected u64", "expected a whole number, 0 or more"),
    ("expected i64", "expected a whole number"),
    ("expected f64", "expected a number"),
    ("expected a sequence", "expected a list"),
    ("expected a map", "expected an object"),
    ("invalid type: sequence", "invalid type: list"),
    ("invalid type: map", "invalid type: object"),
    ("invalid digit found in string", "must be a whole number, 0 or more"),
];

/// The message in plain words, and without the value that it is about: the reader
/// quotes it, and it may be a secret in the wrong place.
pub(crate) fn plain(message: String) -> String {
    let message = without_value(message);
    // The name of the struct is ours alone.
    let message = match message.split_once("expected struct ") {
        Some((before, _)) => format!("{before}expected an object"),
        None => message,
    };
    WORDS.iter().fold(message, |message, (theirs, ours)| message.replace(theirs, ours))
}

/// `invalid type: string "tok…", expected a map` without the string. What was expected
/// stands at the end, and its words are the program's own.
fn without_value(message: String) -> String {
    const KINDS: [&str; 6] =
        ["boolean", "integer", "floating point", "character", "string", "byte array"];
    for begin in ["invalid type: ", "invalid value: "] {
        let Some(about) = message.strip_prefix(begin) else { continue };
        let kind = KINDS.iter().find(|kind| about.starts_with(**kind));
        let expected = about.rfind(", expected ").map_or("", |at| &about[at..]);
        if let Some(kind) = kind {
            return format!("{begin}{kind}{expected}");
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_the_words_of_the_api() {
        let told = |message: &str| plain(message.to_owned());
        assert_eq!(
            told("invalid value: integer `-1`, expected u64"),
            "invalid value: integer, expected a whole number, 0 or more"
        );
        assert_eq!(
            told("invalid type: string \"event\", expected struct Written"),
            "invalid type: string, expected an object"
        );
        assert_eq!(told("unknown field `x`"), "unknown field `x`");
    }
}
