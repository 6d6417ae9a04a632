//! Refuses a source that is too long or too deeply nested before it is parsed.
//! Parsing and evaluating go as deep as the source is nested, and a sandbox has
//! a small stack: without this a tenant would see a crash instead of a place in
//! the source.
//!
//! It sees words and signs, not grammar, and counts rather too much than too
//! little. Operands of `&&` and `||` are siblings, since the parser makes a
//! balanced tree of them: a long chain of them is not deep.

use exosphere_alerts_sdk::Diagnostic;

/// Most levels of brackets and operators, one inside the other. The parser's own
/// bound on brackets is 96.
pub(crate) const MAX_DEPTH: usize = 64;

/// Most words and signs. Compiling takes up to 35,000 units of fuel for each,
/// and has 100,000,000.
pub(crate) const MAX_TOKENS: usize = 2_400;

/// Macros, which nest deeper than they look: a fold, with a name for each of two
/// variables in it.
const MACROS: [&str; 14] = [
    "all",
    "bind",
    "block",
    "exists",
    "existsOne",
    "exists_one",
    "filter",
    "map",
    "optFlatMap",
    "optMap",
    "sortBy",
    "transformList",
    "transformMap",
    "transformMapEntry",
];
const MACRO_DEPTH: usize = 3;

/// What is inside one pair of brackets, or the whole.
#[derive(Default)]
struct Level {
    /// Of the operand that is being read: its operators, and the deepest bracket in it.
    operators: usize,
    inner: usize,
    /// The deepest operand of `&&`, `||` or `?:` since the last comma.
    deepest_operand: usize,
    /// Each nests in the one before: `a ? b : c ? d : e`.
    conditionals: usize,
    /// The deepest part between commas.
    deepest_part: usize,
}

impl Level {
    fn depth(&self) -> usize {
        let part = self.conditionals + self.deepest_operand.max(self.operators + self.inner);
        part.max(self.deepest_part)
    }

    fn end_operand(&mut self) {
        self.deepest_operand = self.deepest_operand.max(self.operators + self.inner);
        (self.operators, self.inner) = (0, 0);
    }

    fn end_part(&mut self) {
        *self = Self { deepest_part: self.depth(), ..Self::default() };
    }
}

/// The first place where the source goes beyond a bound.
pub(crate) fn exceeded(source: &str) -> Option<Diagnostic> {
    let mut levels = vec![Level::default()];
    let (mut at, mut tokens, mut before) = (0, 0, "");
    while let Some(token) = next_token(source, &mut at) {
        tokens += 1;
        if tokens > MAX_TOKENS {
            return Some(complaint(
                at,
                token,
                &format!(
                    "the condition is longer than {MAX_TOKENS} words and signs; make several rules of \
                 it, or compare with a list, as in `event.type in ['a', 'b']`"
                ),
            ));
        }
        let outside = levels.len();
        let Some(level) = levels.last_mut() else { break };
        match token {
            "(" | "[" | "{" => {
                // An index is one more step, and nothing of a list.
                if token == "[" && ends_operand(before) {
                    level.operators += 1;
                }
                if token == "(" && MACROS.contains(&before) {
                    level.operators += MACRO_DEPTH;
                }
                levels.push(Level::default());
            }
            ")" | "]" | "}" => {
                let depth = level.depth();
                if outside > 1 {
                    levels.pop();
                    if let Some(around) = levels.last_mut() {
                        around.inner = around.inner.max(depth + 1);
                    }
                }
            }
            "," => level.end_part(),
            "&&" | "||" | ":" => level.end_operand(),
            // Elsewhere it marks an optional field.
            "?" if ends_operand(before) => {
                level.end_operand();
                level.conditionals += 1;
            }
            "!" | "-" | "+" | "*" | "/" | "%" | "." | "==" | "!=" | "<" | "<=" | ">" | ">="
            | "in" => {
                level.operators += 1;
            }
            _ => {}
        }
        let depth = levels.last().map_or(0, Level::depth) + levels.len() - 1;
        if depth > MAX_DEPTH {
            return Some(complaint(
                at,
                token,
                &format!(
                    "nested deeper than {MAX_DEPTH} levels of brackets and operators; join parts with \
                 `&&` or `||`, which do not nest, or make several rules of it"
                ),
            ));
        }
        before = token;
    }
    None
}

/// `at` is where the token ends.
fn complaint(at: usize, token: &str, message: &str) -> Diagnostic {
    let bytes = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Diagnostic::at(bytes(at - token.len()), bytes(token.len()), message)
}

fn ends_operand(token: &str) -> bool {
    let is_word = token != "in" && token.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    is_word || matches!(token, ")" | "]" | "}") || token.ends_with(['"', '\'', '`'])
}

/// The token that begins at `at` or after spaces and comments; moves `at` behind it.
pub(crate) fn next_token<'s>(source: &'s str, at: &mut usize) -> Option<&'s str> {
    loop {
        let rest = &source[*at..];
        let trimmed = rest.trim_start();
        *at += rest.len() - trimmed.len();
        if !trimmed.starts_with("//") {
            break;
        }
        *at += trimmed.find('\n').unwrap_or(trimmed.len());
    }
    let rest = &source[*at..];
    let first = rest.chars().next()?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let prefix = &rest[..word];
    let is_prefix = matches!(prefix.to_ascii_lowercase().as_str(), "" | "r" | "b" | "br" | "rb");
    let quoted =
        if is_prefix { quoted_bytes(&rest[word..], prefix.contains(['r', 'R'])) } else { 0 };
    let bytes = if quoted > 0 {
        word + quoted
    } else if first == '`' {
        escaped_bytes(rest)
    } else if word > 0 && first.is_ascii_digit() {
        number_bytes(rest)
    } else if word > 0 {
        word
    } else {
        let two = ["&&", "||", "==", "!=", "<=", ">="].iter().any(|sign| rest.starts_with(sign));
        if two { 2 } else { first.len_utf8() }
    };
    *at += bytes;
    rest.get(..bytes)
}

/// The length of a field's name in backquotes, or of the first one alone.
fn escaped_bytes(text: &str) -> usize {
    let may_be_inside = |c: char| c.is_ascii_alphanumeric() || "_.-/ ".contains(c);
    match text[1..].find(|c| !may_be_inside(c)) {
        Some(inside) if inside > 0 && text[1 + inside..].starts_with('`') => inside + 2,
        _ => 1,
    }
}

fn number_bytes(text: &str) -> usize {
    let is_word = |c: char| c.is_alphanumeric();
    let whole = text.find(|c| !is_word(c)).unwrap_or(text.len());
    match text[whole..].strip_prefix('.') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => {
            whole + 1 + rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        }
        _ => whole,
    }
}

/// The length of the text literal at the beginning. 0 if there is none that ends:
/// then the parser does not take it as one either, and reads on behind the quote.
fn quoted_bytes(text: &str, is_raw: bool) -> usize {
    let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| text.starts_with(quote));
    let Some(quote) = quote else { return 0 };
    let mut at = quote.len();
    while let Some(next) = text[at..].chars().next() {
        if text[at..].starts_with(quote) {
            return at + quote.len();
        }
        at += match next {
            '\\' if !is_raw => match escape_bytes(&text[at + 1..]) {
                0 => return 0,
                escape => 1 + escape,
            },
            '\n' | '\r' if quote.len() == 1 => return 0,
            next => next.len_utf8(),
        };
    }
    0
}

/// The length of what follows a backslash, 0 if nothing can.
fn escape_bytes(text: &str) -> usize {
    let digits = match text.bytes().next() {
        Some(b'x' | b'X') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b'0'..=b'3') => 2,
        Some(
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'"' | b'\'' | b'\\' | b'?' | b'`',
        ) => 0,
        _ => return 0,
    };
    let are_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    if text.as_bytes().get(1..=digits).is_some_and(are_digits) { 1 + digits } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(source: &str) -> Option<(u32, u32)> {
        exceeded(source).map(|one| (one.offset, one.length))
    }

    #[test]
    fn what_nests_is_counted_and_what_stands_side_by_side_is_not() {
        let (most, many) = (MAX_DEPTH, 300);
        for (unit, before, after) in [
            (".a", "event", ""),
            ("+1", "1", ""),
            (" == true", "true", ""),
            ("['a']", "event", ""),
            ("!", "", "true"),
            ("- ", "", "1"),
            ("(", "", ""),
            ("[", "", ""),
            ("{", "", ""),
            ("a?b:", "", "c"),
        ] {
            let of = |count: usize| format!("{before}{}{after}", unit.repeat(count));
            assert_eq!(place(&of(most - 1)), None, "{unit}");
            assert!(place(&of(most + 1)).is_some(), "{unit}");
        }
        for (unit, after) in [
            ("a.b == 1 || ", "c"),
            ("!a.b && ", "c"),
            ("event.?a.?b.orValue(1) == 1 || ", "c"),
            ("f(a, b), ", "c"),
            ("a ? b : c, ", "d"),
        ] {
            assert_eq!(place(&(unit.repeat(many.min(MAX_TOKENS / 20)) + after)), None, "{unit}");
        }
    }

    #[test]
    fn depth_adds_up_over_brackets() {
        let of =
            |inner: usize, outer: usize| format!("(1{}){}", "+1".repeat(inner), "+1".repeat(outer));
        assert_eq!(place(&of(30, MAX_DEPTH - 31)), None);
        assert!(place(&of(31, MAX_DEPTH - 31)).is_some());
    }

    #[test]
    fn a_macro_counts_as_deep_as_it_becomes() {
        let of = |count: usize| "a.all(x, y, ".repeat(count) + "true" + &")".repeat(count);
        assert_eq!(place(&of(MAX_DEPTH / (MACRO_DEPTH + 2))), None);
        assert!(place(&of(MAX_DEPTH / 3)).is_some());
    }

    #[test]
    fn the_place_is_the_token_that_is_too_much() {
        let ü = "ü.".repeat(MAX_DEPTH) + "ü";
        assert_eq!(place(&(ü.clone() + ".x")), Some((u32::try_from(ü.len()).unwrap(), 1)));
        let long = "1,".repeat(MAX_TOKENS);
        assert_eq!(place(&long), Some((u32::try_from(MAX_TOKENS).unwrap(), 1)));
    }

    #[test]
    fn brackets_in_texts_and_comments_do_not_count() {
        let brackets = "(".repeat(500);
        for source in [
            format!("'{brackets}'"),
            format!("r\"{brackets}\\\""),
            format!("'''\n'{brackets}'''"),
            format!("'\\'{brackets}'"),
            format!("true // {brackets}"),
            "event.`a b`".to_owned() + &".`c-d/e.f`".repeat(60),
        ] {
            assert_eq!(place(&source), None, "{source}");
        }
        // These are no texts.
        for source in
            [format!("'{brackets}"), format!("'\\q{brackets}'"), format!("'\n{brackets}'")]
        {
            assert!(place(&source).is_some(), "{source}");
        }
    }
}
