//! Regular expressions: what is too large or does not compile is refused when
//! the condition is written, and what an event brings is bounded as well.

use std::cell::RefCell;

use cel::common::types::{CelBool, CelString, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};
use regex::{Regex, RegexBuilder};

use super::argument;

/// What calls of `matches` are renamed to.
pub(crate) const MATCHES: &str = "@matches";

/// Largest compiled form. A pattern of a person's making takes some ten KiB; one
/// of this size takes a tenth of the fuel that compiling a condition has.
const MAX_COMPILED_BYTES: usize = 256 << 10;

/// What matching may remember beside it; an instance holds hundreds of patterns.
const MAX_CACHE_BYTES: usize = 256 << 10;

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(MATCHES, MATCHES, vec![STRING_TYPE, STRING_TYPE], matches)?;
    env.add_member_overload(MATCHES, "@matches_member", STRING_TYPE, vec![STRING_TYPE], matches)
}

/// The pattern, or why it is none.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_CACHE_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                "it is too large; repeat less, or use `*` instead of a large count".to_owned()
            }
            // The library draws the pattern with a mark below it; the last line says what is wrong.
            error => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
        })
}

fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = argument::<CelString<'v>>(&args, 0)?.inner();
    let pattern = argument::<CelString<'v>>(&args, 1)?.inner();
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.as_ref().is_none_or(|known| known.as_str() != pattern) {
            *compiled = Some(compile(pattern).map_err(|why| {
                let message = format!("not a regular expression: {why}");
                ExecutionError::function_error("matches", message)
            })?);
        }
        let matches = compiled.as_ref().is_some_and(|pattern| pattern.is_match(text));
        Ok(CowVal::owned(CelBool::from(matches)))
    })
}

thread_local! {
    /// The pattern of the last call: a macro asks for the same one with each item.
    static COMPILED: RefCell<Option<Regex>> = const { RefCell::new(None) };
}

/// Makes the next condition begin with nothing, so that what it costs does not
/// depend on its neighbours.
pub(crate) fn forget() {
    COMPILED.with_borrow_mut(Option::take);
}
