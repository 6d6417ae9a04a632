//! What the parser says of a source that is no CEL, in the words of whoever writes one.

/// More of the source than this tells nobody where to look; the place is told beside it.
const MAX_QUOTED_CHARS: usize = 40;
const END: &str = "<EOF>";

/// The parser's message in plain words; one that is not known stays as it is.
pub(crate) fn plain(message: &str) -> String {
    let said = message.strip_prefix("Syntax error: ").unwrap_or(message);
    if let Some(word) = said.strip_prefix("reserved identifier: ") {
        return format!("{} is a word that CEL keeps for itself", quoted(word));
    }
    if said.starts_with("Incomplete `") {
        return "this is not complete".to_owned();
    }
    unexpected(said).unwrap_or_else(|| said.to_owned())
}

fn unexpected(said: &str) -> Option<String> {
    if let Some(rest) = said.strip_prefix("token recognition error at: ") {
        return Some(unknown(unquoted(rest)?));
    }
    if let Some(rest) = said.strip_prefix("no viable alternative at input ") {
        return Some(match unquoted(rest)? {
            END => "the expression ends too early".to_owned(),
            text => format!("this does not read as CEL: {}", quoted(text)),
        });
    }
    if let Some(rest) = said.strip_prefix("missing ") {
        let (missing, before) = rest.split_once(" at ")?;
        let place = match unquoted(before)? {
            END => "at the end".to_owned(),
            text => format!("before {}", quoted(text)),
        };
        return Some(format!("{} is missing {place}", quoted(unquoted(missing)?)));
    }
    let rest = said.strip_prefix("mismatched input ").or(said.strip_prefix("extraneous input "))?;
    let (found, expected) = rest.split_once(" expecting ")?;
    let found = match unquoted(found)? {
        END => "the expression ends too early".to_owned(),
        "and" => return Some("`and` is written `&&` in CEL".to_owned()),
        "or" => return Some("`or` is written `||` in CEL".to_owned()),
        text => format!("{} is not expected here", quoted(text)),
    };
    Some(match wanted(expected) {
        Some(wanted) => format!("{found}; {wanted}"),
        None => found,
    })
}

/// Characters that begin nothing in CEL, mostly habits of other languages.
fn unknown(text: &str) -> String {
    let text = text.trim();
    let advice = match text {
        "=" => "; equality is written `==`",
        "&" => "; “and” is written `&&`",
        "|" => "; “or” is written `||`",
        _ if text.starts_with(['"', '\'']) => {
            return format!("a quote is missing at the end of {}", quoted(text));
        }
        _ => "",
    };
    format!("{} means nothing in CEL{advice}", quoted(text))
}

/// What is wanted, from the parser's list of the names of its tokens.
fn wanted(expected: &str) -> Option<String> {
    if expected == END {
        return Some("the expression should end before it, or an operator is missing".to_owned());
    }
    if !expected.starts_with('{') {
        return Some(format!("{} is wanted", quoted(unquoted(expected)?)));
    }
    let names: Vec<&str> = expected.trim_matches(['{', '}']).split(", ").collect();
    if names.contains(&"NUM_INT") {
        return Some("a value is wanted, like a name, a number or a text in quotes".to_owned());
    }
    let has = |token: &str| names.iter().any(|name| name.trim_matches('\'') == token);
    if has("&&") && has(END) {
        return Some("an operator like `&&` or `==` may be missing before it".to_owned());
    }
    if has(":") {
        return Some("`:` is wanted, as in `a ? b : c`".to_owned());
    }
    let closing = [")", "]", "}"].into_iter().find(|close| has(close))?;
    Some(format!("`{closing}` is missing"))
}

/// A name as the parser quotes it, without its quotes.
fn unquoted(text: &str) -> Option<&str> {
    match text.strip_prefix('\'') {
        Some(rest) => rest.strip_suffix('\''),
        None => Some(text),
    }
}

fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(MAX_QUOTED_CHARS).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("`{cut}{more}`")
}

#[cfg(test)]
mod tests {
    use crate::explain::parse_errors;

    /// What is told first of a source that does not parse.
    fn told(source: &str) -> String {
        let errors = cel::Program::compile(source).unwrap_err();
        parse_errors(source, &errors).swap_remove(0).message
    }

    #[test]
    fn mistakes_are_told_in_the_words_of_whoever_writes_a_condition() {
        let value = "a value is wanted, like a name, a number or a text in quotes";
        for (source, wanted) in [
            ("a > > 3", format!("`>` is not expected here; {value}")),
            ("1 +", format!("the expression ends too early; {value}")),
            ("a = 3", "`=` means nothing in CEL; equality is written `==`".into()),
            ("a & b", "`&` means nothing in CEL; “and” is written `&&`".into()),
            ("a and b", "`and` is written `&&` in CEL".into()),
            ("(a", "`)` is missing at the end".into()),
            ("[1, 2", "the expression ends too early; `]` is missing".into()),
            ("a ? b", "this is not complete".into()),
            ("'abc", "a quote is missing at the end of `'abc`".into()),
            ("$x", "`$` means nothing in CEL".into()),
            ("a..b", "this does not read as CEL: `..`".into()),
            ("if x", "`if` is a word that CEL keeps for itself".into()),
            (
                "a b",
                "`b` is not expected here; the expression should end before it, or an operator is \
                 missing"
                    .into(),
            ),
        ] {
            assert_eq!(told(source), wanted, "{source}");
        }
    }

    #[test]
    fn a_long_text_is_cut_where_it_is_told() {
        let source = format!("'{}", "é".repeat(500));
        let told = told(&source);
        assert!(told.ends_with("é…`") && told.chars().count() < 100, "{told}");
    }
}
