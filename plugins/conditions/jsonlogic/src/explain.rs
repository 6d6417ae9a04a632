//! What a tenant is told when the engine refuses a rule, or gives no verdict.

use datalogic_rs::datavalue::ParseError;
use datalogic_rs::{Error, ErrorKind};
use exosphere_alerts_sdk::{Diagnostic, EvalError};

/// The check reads JSON too; this is for what only the engine's reader minds,
/// such as half of a surrogate pair.
pub(crate) fn parse_error(error: &ParseError) -> Vec<Diagnostic> {
    let offset = u32::try_from(error.position).unwrap_or(u32::MAX);
    vec![Diagnostic::at(offset, 0, format!("the rule is not JSON: {error}"))]
}

/// About the whole: the engine does not say where.
pub(crate) fn compile_error(source: &str, error: &Error) -> Vec<Diagnostic> {
    let length = u32::try_from(source.len()).unwrap_or(u32::MAX);
    vec![Diagnostic::at(0, length, error.to_string())]
}

/// Why there is no verdict.
pub(crate) fn eval_error(error: Error) -> EvalError {
    match (&error.kind, error.operator()) {
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
