//! What a tenant is told: parse errors with their place in the source, and why
//! an evaluation gave no verdict.

use cel::{ExecutionError, ParseErrors};
use exosphere_alerts_sdk::{Diagnostic, EvalError};

use crate::syntax::plain;

/// As many as a person reads; a source of nothing but strange characters has
/// thousands.
pub(crate) const MAX_DIAGNOSTICS: usize = 16;

/// One diagnostic for each parse error, in the order of the source.
pub(crate) fn parse_errors(source: &str, errors: &ParseErrors) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<_> = errors
        .errors
        .iter()
        // Finding a place goes through the source from its beginning.
        .take(2 * MAX_DIAGNOSTICS)
        .map(|error| {
            let offset = byte_offset(source, error.pos);
            Diagnostic::at(offset, token_bytes(source, offset), plain(&error.msg))
        })
        .collect();
    diagnostics.sort_by_key(|diagnostic| diagnostic.offset);
    diagnostics.truncate(MAX_DIAGNOSTICS);
    diagnostics
}

/// The byte at a line and column, both counted from 1, the column in characters.
fn byte_offset(source: &str, (line, column): (isize, isize)) -> u32 {
    let skipped = |count: isize| usize::try_from(count - 1).unwrap_or(0);
    let mut start = 0;
    for text in source.split_inclusive('\n').take(skipped(line)) {
        start += text.len();
    }
    let rest = &source[start..];
    let within = rest.char_indices().nth(skipped(column)).map_or(rest.len(), |(at, _)| at);
    u32::try_from(start + within).unwrap_or(u32::MAX)
}

/// How much of the source to underline: the word there, else one character.
fn token_bytes(source: &str, offset: u32) -> u32 {
    let rest = usize::try_from(offset).ok().and_then(|at| source.get(at..)).unwrap_or_default();
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let bytes = if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) };
    u32::try_from(bytes).unwrap_or(0)
}

/// Why there is no verdict, with what to write instead where that is known.
pub(crate) fn execution_error(error: ExecutionError) -> EvalError {
    EvalError::new(match error {
        ExecutionError::NoSuchKey(key) => format!(
            "the event has no field `{key}` there; where only some events have it, guard it: \
             `has(event.data.{key}) && …`"
        ),
        ExecutionError::NoSuchOverload(call) => {
            let types: Vec<String> =
                call.argument_types().iter().map(|name| format!("`{name}`")).collect();
            format!("{} does not take {}", shown(call.function()), types.join(" and "))
        }
        ExecutionError::FunctionError { function, message } => {
            let message = match function.as_str() {
                // The crate's parser tells of itself here.
                "duration" if message.starts_with("Parsing") => {
                    "that is no duration, as `90s` and `1h30m` are".to_owned()
                }
                "timestamp" => format!("{message}; a time is written as `2026-01-31T08:00:00Z`"),
                _ => message,
            };
            format!("{}: {message}", shown(&function))
        }
        ExecutionError::UnexpectedType { got, want } => {
            format!("a `{got}` where a `{want}` is wanted")
        }
        other => other.to_string(),
    })
}

/// An operator or function as people write it.
fn shown(name: &str) -> String {
    let written = match name {
        "_[_]" | "_[?_]" => "[…]",
        "_._" | "_?._" => ".",
        "_?_:_" => "… ? … : …",
        "@milliseconds" => "getMilliseconds",
        _ => name.trim_start_matches('@').trim_matches('_'),
    };
    format!("`{written}`")
}
