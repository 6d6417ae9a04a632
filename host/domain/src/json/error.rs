//! What is wrong with a text that is not taken as JSON.

use std::fmt;

/// Why a text was not taken, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct JsonError {
    /// JSON pointer to the value that is wrong, or in which it is; empty for the
    /// whole document.
    pub pointer: String,
    /// What is wrong with it.
    pub fault: JsonFault,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// The member is there a second time.
    Repeated,
    /// It is not JSON.
    Malformed {
        /// Why, without any of its values.
        what: String,
        /// The line, counted from 1.
        line: usize,
        /// The byte in the line, counted from 1.
        column: usize,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(f, "it {}", self.fault),
            pointer => write!(f, "`{pointer}` {}", self.fault),
        }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated => f.write_str(
                "is there twice: leave one of them out, since readers differ in which one counts",
            ),
            Self::Malformed { what, line, column } => {
                write!(f, "is not JSON: {what} at line {line}, column {column}")
            }
        }
    }
}
