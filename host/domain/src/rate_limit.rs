//! Rate limits as tenants write them.

use serde::{Deserialize, Serialize};

use crate::problem::FieldError;

/// How many deliveries may start. Over the limit a delivery waits; it is not lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Deliveries a minute, in the long run.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub per_minute: u32,
    /// How many may start at once after a quiet time; `per_minute` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub burst: Option<u32>,
}

impl RateLimit {
    /// Above this a limit limits nothing on any machine.
    pub const MAX: u32 = 1_000_000;

    /// So many a minute, all of which may start at once after a quiet time.
    pub fn per_minute(per_minute: u32) -> Self {
        Self { per_minute, burst: None }
    }

    /// What is wrong with it, with pointers into the limit.
    pub fn problems(&self) -> Vec<FieldError> {
        let outside = |value: u32| value == 0 || value > Self::MAX;
        let complaint = format!("must be from 1 to {}", Self::MAX);
        let mut problems = Vec::new();
        if outside(self.per_minute) {
            problems.push(FieldError::new("/per_minute", complaint.clone()));
        }
        if self.burst.is_some_and(outside) {
            problems.push(FieldError::new("/burst", complaint));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_lets_nothing_or_too_much_through_is_refused_by_field() {
        let pointers = |per_minute, burst| {
            let problems = RateLimit { per_minute, burst }.problems().into_iter();
            problems.map(|problem| problem.pointer).collect::<Vec<_>>()
        };
        assert_eq!(pointers(0, None), ["/per_minute"]);
        assert_eq!(pointers(60, Some(0)), ["/burst"]);
        assert_eq!(
            pointers(RateLimit::MAX + 1, Some(RateLimit::MAX + 1)),
            ["/per_minute", "/burst"]
        );
        assert!(pointers(RateLimit::MAX, Some(1)).is_empty());
    }
}
