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

/// The message in plain words.
pub(crate) fn plain(message: String) -> String {
    // The name of the struct is ours alone.
    let message = match message.split_once("expected struct ") {
        Some((before, _)) => format!("{before}expected an object"),
        None => message,
    };
    WORDS.iter().fold(message, |message, (theirs, ours)| message.replace(theirs, ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_in_the_words_of_the_api() {
        let told = |message: &str| plain(message.to_owned());
        assert_eq!(
            told("invalid value: integer `-1`, expected u64"),
            "invalid value: integer `-1`, expected a whole number, 0 or more"
        );
        assert_eq!(
            told("invalid type: string \"event\", expected struct Written"),
            "invalid type: string \"event\", expected an object"
        );
        assert_eq!(told("unknown field `x`"), "unknown field `x`");
    }
}
