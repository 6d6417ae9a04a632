//! What a tenant is told when the engine refuses a rule, or gives no verdict.

use datalogic_rs::datavalue::ParseError;
use datalogic_rs::{Error, ErrorKind, Logic};
use exosphere_alerts_sdk::{Diagnostic, EvalError};

use crate::compare;

/// The check reads JSON too; this is for what only the engine's reader minds,
/// such as half of a surrogate pair.
pub(crate) fn parse_error(error: &ParseError) -> Vec<Diagnostic> {
    let offset = u32::try_from(error.position).unwrap_or(u32::MAX);
    // The place is in the diagnostic; in the message it would be there twice.
    let whole = error.to_string();
    let message = whole.split_once(": ").map_or(whole.as_str(), |(_, message)| message);
    vec![Diagnostic::at(offset, 0, format!("the rule is not JSON: {message}"))]
}

/// About the whole: the engine does not say where.
pub(crate) fn compile_error(source: &str, error: &Error) -> Vec<Diagnostic> {
    let length = u32::try_from(source.len()).unwrap_or(u32::MAX);
    vec![Diagnostic::at(0, length, error.to_string())]
}

/// Why `rule` gave no verdict.
pub(crate) fn eval_error(rule: &Logic, error: &Error) -> EvalError {
    let operator = failed_operator(rule, error);
    match (&error.kind, operator) {
        // The engine's way to say that something is no number, or was divided by zero.
        (ErrorKind::Thrown(_) | ErrorKind::ArithmeticError(_), Some(operator)) => {
            EvalError::new(format!(
                "`{operator}` has no result: an operand is not a number, or the divisor is zero"
            ))
        }
        (ErrorKind::InvalidArguments(_), Some(operator)) => EvalError::new(format!(
            "`{operator}` has no result: its operands are too few, or of the wrong type"
        )),
        _ => EvalError::new(error),
    }
}

/// The innermost operator on the way to what failed. The error itself names but
/// the outermost, which is where the verdict would have come from.
fn failed_operator(rule: &Logic, error: &Error) -> Option<String> {
    let steps = error.resolve_path(rule);
    let innermost = steps.into_iter().rev().find_map(|step| step.operator);
    let name = innermost.or_else(|| error.operator().map(str::to_owned))?;
    Some(compare::original(&name).to_owned())
}
