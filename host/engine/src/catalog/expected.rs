//! Which version of an endpoint, a rule or a source a change is meant for, so that nobody undoes
//! what he has not seen.
//!
//! A change is written only if what is stored is still what was read; so what is required
//! here of the version that was read holds within the transaction.

use crate::error::ChangeError;

/// Which version a change is meant for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    /// Whatever is stored.
    #[default]
    Whatever,
    /// One of these, as the caller has seen them; none of them if it is empty.
    OneOf(Vec<i64>),
}

impl Expected {
    /// Refuses a change of another version than the caller has seen.
    pub fn require(&self, read: i64) -> Result<(), ChangeError> {
        match self {
            Self::Whatever => Ok(()),
            Self::OneOf(seen) if seen.contains(&read) => Ok(()),
            Self::OneOf(_) => Err(ChangeError::Stale),
        }
    }

    /// Somebody else has changed `what` since it was read.
    pub fn overtaken(&self, what: impl std::fmt::Display) -> ChangeError {
        match self {
            Self::Whatever => ChangeError::Conflict(format!(
                "{what} was changed by somebody else at the same time; read it again and repeat"
            )),
            Self::OneOf(_) => ChangeError::Stale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_version_that_was_not_seen_is_refused() {
        assert!(Expected::Whatever.require(7).is_ok());
        assert!(Expected::OneOf(vec![6, 7]).require(7).is_ok());
        for seen in [vec![], vec![6], vec![6, 8]] {
            assert!(matches!(Expected::OneOf(seen).require(7), Err(ChangeError::Stale)));
        }
    }
}
