//! Why something failed, as it is stored and shown.

use std::fmt;

use crate::exchange::Verdict;
use crate::text::kept;

/// Why a delivery or an attempt failed. Much of it is told by plugins and targets,
/// so it has a bound, and no character that a database cannot hold, however it was
/// made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorText(String);

impl ErrorText {
    /// Longest text, in bytes: some sentences, and a page of two hundred deliveries
    /// stays small.
    pub const MAX_BYTES: usize = 1024;

    /// As much of a text as is kept.
    pub fn new(text: &str) -> Self {
        Self(kept(text, Self::MAX_BYTES))
    }

    /// Why an attempt failed that ended like this; none when it did not.
    pub fn of(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Delivered(_) => None,
            Verdict::Retry { reason, .. } | Verdict::Rejected(reason) | Verdict::Gone(reason) => {
                Some(Self::new(reason))
            }
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ErrorText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<&String> for ErrorText {
    fn from(text: &String) -> Self {
        Self::new(text)
    }
}

impl From<String> for ErrorText {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<ErrorText> for String {
    fn from(text: ErrorText) -> Self {
        text.0
    }
}

impl fmt::Display for ErrorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
