//! Patterns that event types are held against.

use serde::{Deserialize, Serialize};

use crate::problem::FieldError;

/// An event type, exact or with `*` for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventTypePattern(String);

impl EventTypePattern {
    /// Longest pattern, in bytes, as for the types it is held against.
    pub const MAX_BYTES: usize = 512;
    /// Most stars: keeps matching linear in practice.
    const MAX_STARS: usize = 4;

    /// Checks a pattern. The error's pointer is empty.
    pub fn new(pattern: &str) -> Result<Self, FieldError> {
        let wrong = if pattern.is_empty() {
            "must not be empty; use `*` for every type".to_owned()
        } else if pattern.len() > Self::MAX_BYTES {
            format!("must be at most {} bytes long", Self::MAX_BYTES)
        } else if pattern.chars().any(|c| c.is_control() || c.is_whitespace()) {
            "must not hold white space or control characters".to_owned()
        } else if pattern.matches('*').count() > Self::MAX_STARS {
            format!("may hold at most {} stars", Self::MAX_STARS)
        } else {
            return Ok(Self(pattern.to_owned()));
        };
        Err(FieldError::new("", format!("the event type {wrong}")))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names one type only.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether an event of this type is looked at.
    pub fn matches(&self, event_type: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = event_type.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        // Taking the earliest place for each part is enough: what lies between
        // two stars never gains from being found later.
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl TryFrom<String> for EventTypePattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        Self::new(&pattern).map_err(|error| error.detail)
    }
}

impl From<EventTypePattern> for String {
    fn from(pattern: EventTypePattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        let matches = |pattern, text| EventTypePattern::new(pattern).unwrap().matches(text);
        assert!(matches("workflow.failed", "workflow.failed"));
        assert!(!matches("workflow.failed", "workflow.failed.twice"));
        assert!(matches("workflow.*", "workflow.failed"));
        assert!(!matches("workflow.*", "task.failed"));
        assert!(matches("*", ""));
        assert!(matches("*.failed", "workflow.failed"));
        assert!(matches("a*b*c", "aXbYbZc"));
        assert!(!matches("a*b*c", "acb"));
        assert!(!matches("ab*ba", "aba"));
    }

    #[test]
    fn a_pattern_that_could_never_match_is_refused() {
        assert!(EventTypePattern::new("").is_err());
        assert!(EventTypePattern::new("workflow failed").is_err());
    }

    #[test]
    fn a_pattern_that_would_be_slow_to_match_is_refused() {
        let refuse = |pattern: &str| EventTypePattern::new(pattern).unwrap_err().detail;
        assert!(refuse(&"x".repeat(EventTypePattern::MAX_BYTES + 1)).contains("bytes long"));
        assert!(refuse("*a*b*c*d*").contains("at most 4 stars"));
        assert!(EventTypePattern::new("*a*b*c*").is_ok());
    }
}
