//! Bounds that more than one kind of trigger keeps.

use crate::problem::FieldError;

/// A number of milliseconds that must lie within bounds.
pub(super) fn milliseconds(pointer: &str, ms: u64, most: u64, problems: &mut Vec<FieldError>) {
    if ms == 0 || ms > most {
        let days = most / (24 * 60 * 60 * 1000);
        let detail = format!("must be from 1 to {most} milliseconds ({days} days)");
        problems.push(FieldError::new(pointer, detail));
    }
}
