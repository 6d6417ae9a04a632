//! The label of a configuration: by it, whoever applies configuration from files knows what
//! is his.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::problem::FieldError;

/// The name of a configuration, for example `payments-alerts`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl Label {
    /// Longest label, in bytes: enough for a repository's name with a folder in it.
    pub const MAX_BYTES: usize = 100;

    /// Checks a label. The error's pointer is empty: the caller knows where it stood.
    pub fn new(text: impl Into<String>) -> Result<Self, FieldError> {
        let text = text.into();
        let is_of_label = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
        if (1..=Self::MAX_BYTES).contains(&text.len()) && text.chars().all(is_of_label) {
            return Ok(Self(text));
        }
        let detail = format!(
            "a label must be 1 to {} ASCII letters, digits, `.`, `_`, `-` and `/`",
            Self::MAX_BYTES
        );
        Err(FieldError::new("", detail))
    }

    /// The label as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Label {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::new(text).map_err(|error| error.detail)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_plain_word() {
        for good in ["payments", "exosphere/alerts.git", "a_b-1"] {
            assert_eq!(Label::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "ä", "a\n", &"x".repeat(101)] {
            assert!(Label::new(bad).is_err(), "{bad}");
        }
    }
}
