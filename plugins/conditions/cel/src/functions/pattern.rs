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

/// Largest compiled form. A pattern of a person's making takes some ten KiB, with
/// `\w` and counts in it some hundred. Fuel ends most of what comes near this, and
/// does not say why.
const MAX_COMPILED_BYTES: usize = 2 << 20;

/// Most patterns that are known at once; conditions have one or two.
const MAX_KNOWN: usize = 16;

/// What matching may remember beside it; an instance holds hundreds of patterns.
const MAX_CACHE_BYTES: usize = 256 << 10;

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(MATCHES, MATCHES, vec![STRING_TYPE, STRING_TYPE], matches)?;
    env.add_member_overload(MATCHES, "@matches_member", STRING_TYPE, vec![STRING_TYPE], matches)
}

/// The pattern, or why it is none.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let known =
        KNOWN.with_borrow(|known| known.iter().find(|known| known.as_str() == pattern).cloned());
    if let Some(known) = known {
        return Ok(known);
    }
    let built = build(pattern)?;
    KNOWN.with_borrow_mut(|known| {
        if known.len() < MAX_KNOWN {
            known.push(built.clone());
        }
    });
    Ok(built)
}

fn build(pattern: &str) -> Result<Regex, String> {
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

thread_local! {
    /// The patterns of the condition at hand: a macro asks for the same one with each item.
    static KNOWN: RefCell<Vec<Regex>> = const { RefCell::new(Vec::new()) };
}

/// Makes these the patterns that are known, and gives those that were. A condition
/// begins with its own, so that what it costs does not depend on its neighbours.
pub(crate) fn exchange(patterns: Vec<Regex>) -> Vec<Regex> {
    KNOWN.replace(patterns)
}

fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = argument::<CelString<'v>>(&args, 0)?.inner();
    let pattern = argument::<CelString<'v>>(&args, 1)?.inner();
    let pattern = compile(pattern).map_err(|why| {
        ExecutionError::function_error("matches", format!("not a regular expression: {why}"))
    })?;
    Ok(CowVal::owned(CelBool::from(pattern.is_match(text))))
}
