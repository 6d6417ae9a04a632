//! The retry policy: how long to wait before the next attempt.
//!
//! Names and formulas are the platform's own, so that a tenant who has written
//! a retry policy for a graph can write one for a rule.

use serde::{Deserialize, Serialize};

use crate::problem::FieldError;

/// How the wait grows from one retry to the next, and how it is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Strategy {
    /// `backoff_factor × exponent^(retry − 1)`.
    Exponential,
    /// Anything from zero to the exponential wait.
    ExponentialFullJitter,
    /// The upper half of the exponential wait.
    ExponentialEqualJitter,
    /// `backoff_factor × retry`.
    Linear,
    /// Anything from zero to the linear wait.
    LinearFullJitter,
    /// The upper half of the linear wait.
    LinearEqualJitter,
    /// `backoff_factor`.
    Fixed,
    /// Anything from zero to `backoff_factor`.
    FixedFullJitter,
    /// The upper half of `backoff_factor`.
    FixedEqualJitter,
}

/// When to try again, and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// Attempts after the first; zero means one attempt in all.
    #[schema(maximum = 50)]
    pub max_retries: u32,
    /// How the wait grows and is spread.
    pub strategy: Strategy,
    /// The base of every formula, in milliseconds.
    #[schema(minimum = 1, maximum = 86_400_000)]
    pub backoff_factor: u64,
    /// The base of the power in the exponential strategies.
    #[schema(minimum = 1, maximum = 10)]
    pub exponent: u32,
    /// Longest wait before jitter, in milliseconds; one day when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86_400_000)]
    pub max_delay: Option<u64>,
}

impl Default for RetryPolicy {
    /// Eight retries over about four minutes at most, spread fully, so that an
    /// outage's retries do not arrive together.
    fn default() -> Self {
        Self {
            max_retries: 8,
            strategy: Strategy::ExponentialFullJitter,
            backoff_factor: 1_000,
            exponent: 2,
            max_delay: None,
        }
    }
}

impl RetryPolicy {
    /// Hard cap on retries, whatever a rule asks for.
    pub const MAX_RETRIES: u32 = 50;
    /// Hard cap on one wait, and on what a target's Retry-After may ask for: a day.
    pub const MAX_DELAY_MS: u64 = 24 * 60 * 60 * 1000;
    /// A delivery older than this is not tried again: a week-old alert alarms nobody.
    pub const MAX_AGE_MS: u64 = 7 * Self::MAX_DELAY_MS;

    /// The wait before retry number `retry` (1 after the first attempt), in
    /// milliseconds. `jitter` is from the unit interval. The cap goes on
    /// before the jitter, so that capped waits are spread as well.
    pub fn delay_ms(&self, retry: u32, jitter: f64) -> u64 {
        use Strategy as S;
        let retry = retry.max(1);
        let grown = match self.strategy {
            S::Exponential | S::ExponentialFullJitter | S::ExponentialEqualJitter => self
                .backoff_factor
                .saturating_mul(u64::from(self.exponent).saturating_pow(retry - 1)),
            S::Linear | S::LinearFullJitter | S::LinearEqualJitter => {
                self.backoff_factor.saturating_mul(u64::from(retry))
            }
            S::Fixed | S::FixedFullJitter | S::FixedEqualJitter => self.backoff_factor,
        };
        let capped =
            grown.min(self.max_delay.unwrap_or(Self::MAX_DELAY_MS)).min(Self::MAX_DELAY_MS);
        // At most 86,400,000, so the way through f64 is exact.
        let part = (capped as f64 * jitter.clamp(0.0, 1.0)) as u64;
        match self.strategy {
            S::Exponential | S::Linear | S::Fixed => capped,
            S::ExponentialFullJitter | S::LinearFullJitter | S::FixedFullJitter => part,
            S::ExponentialEqualJitter | S::LinearEqualJitter | S::FixedEqualJitter => {
                capped / 2 + part / 2
            }
        }
    }

    /// What is wrong with it, with pointers into the policy.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Vec::new();
        let mut check = |good: bool, pointer: &str, detail: String| {
            if !good {
                problems.push(FieldError::new(pointer, detail));
            }
        };
        let delay = |ms: u64| (1..=Self::MAX_DELAY_MS).contains(&ms);
        let range = format!("must be from 1 to {} milliseconds", Self::MAX_DELAY_MS);
        check(
            self.max_retries <= Self::MAX_RETRIES,
            "/max_retries",
            format!("must be at most {}", Self::MAX_RETRIES),
        );
        check(delay(self.backoff_factor), "/backoff_factor", range.clone());
        check((1..=10).contains(&self.exponent), "/exponent", "must be from 1 to 10".into());
        check(self.max_delay.is_none_or(delay), "/max_delay", range);
        problems
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::*;

    fn policy(strategy: Strategy) -> RetryPolicy {
        RetryPolicy { strategy, max_delay: Some(5_000), ..RetryPolicy::default() }
    }

    #[test]
    fn waits_grow_by_the_strategy_up_to_the_cap() {
        let waits = |strategy| [1, 2, 3, 4].map(|retry| policy(strategy).delay_ms(retry, 1.0));
        assert_eq!(waits(Strategy::Exponential), [1_000, 2_000, 4_000, 5_000]);
        assert_eq!(waits(Strategy::Linear), [1_000, 2_000, 3_000, 4_000]);
        assert_eq!(waits(Strategy::Fixed), [1_000; 4]);
    }

    #[test]
    fn a_capped_wait_is_still_spread() {
        let policy = policy(Strategy::ExponentialFullJitter);
        assert_eq!(policy.delay_ms(50, 0.5), 2_500);
    }

    proptest! {
        #[test]
        fn no_wait_passes_the_cap_or_overflows(
            backoff_factor: u64, exponent: u32, retry: u32, jitter in 0.0..=1.0f64,
        ) {
            let policy = RetryPolicy {
                backoff_factor, exponent, ..policy(Strategy::ExponentialEqualJitter)
            };
            prop_assert!(policy.delay_ms(retry, jitter) <= 5_000);
        }

        #[test]
        fn equal_jitter_stays_in_the_upper_half(retry in 1..40u32, jitter in 0.0..=1.0f64) {
            let plain = policy(Strategy::Exponential).delay_ms(retry, 0.0);
            let spread = policy(Strategy::ExponentialEqualJitter).delay_ms(retry, jitter);
            prop_assert!(plain / 2 <= spread && spread <= plain);
        }
    }
}
