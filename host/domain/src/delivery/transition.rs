//! Where a delivery goes when an attempt has ended: each change of its state.

use jiff::{SignedDuration, Timestamp};

use super::error_text::ErrorText;
use super::status::DeliveryStatus;
use crate::exchange::Verdict;
use crate::id::DeliveryId;
use crate::retry::RetryPolicy;

/// Where a leased delivery goes once an attempt has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// To `Delivered`.
    Deliver,
    /// Back to `Scheduled`.
    Retry {
        /// When it is due.
        at: Timestamp,
        /// Why this attempt failed.
        error: ErrorText,
    },
    /// To `Dead`.
    Bury {
        /// Why.
        error: ErrorText,
        /// Whether its rule is switched off too: the target is gone.
        disable_rule: bool,
    },
    /// The target said that it is gone, and its endpoint waits for that to be said
    /// several times in a row. How often it was said is known to the database
    /// alone, where all hosts count.
    Gone {
        /// Why.
        error: ErrorText,
        /// So many in a row bury the delivery and switch its rule off.
        gone_after: u32,
        /// Where it goes before that: what the policy says of any other failure.
        otherwise: Box<Transition>,
    },
    /// To `Canceled` without an attempt: a newer delivery tells its target how the same
    /// thing stands.
    Supersede {
        /// Which one.
        by: DeliveryId,
    },
    /// Back to `Scheduled` without an attempt: nothing was sent, and nothing
    /// counts against the delivery (shutdown; a plugin that is not there).
    Release {
        /// When it is due.
        at: Timestamp,
        /// Why, if a person should know.
        reason: Option<ErrorText>,
    },
}

impl Transition {
    /// The one place where the end of an attempt becomes the next state.
    ///
    /// `gone_after` is the endpoint's. `attempts` counts this one. `jitter` is
    /// from the unit interval.
    pub fn after_attempt(
        verdict: &Verdict,
        policy: &RetryPolicy,
        gone_after: u32,
        attempts: u32,
        created_at: Timestamp,
        now: Timestamp,
        jitter: f64,
    ) -> Self {
        let (after_ms, reason) = match verdict {
            Verdict::Delivered(_) => return Self::Deliver,
            Verdict::Rejected(reason) => {
                return Self::Bury { error: reason.into(), disable_rule: false };
            }
            Verdict::Gone(reason) if gone_after <= 1 => {
                return Self::Bury { error: reason.into(), disable_rule: true };
            }
            Verdict::Gone(reason) => {
                let failed = Verdict::Retry { after_ms: None, reason: reason.clone() };
                let otherwise = Self::after_attempt(
                    &failed, policy, gone_after, attempts, created_at, now, jitter,
                );
                let (error, otherwise) = (reason.into(), otherwise.into());
                return Self::Gone { error, gone_after, otherwise };
            }
            Verdict::Retry { after_ms, reason } => (after_ms.unwrap_or(0), reason),
        };
        let allowed = policy.max_retries.min(RetryPolicy::MAX_RETRIES);
        if attempts > allowed {
            let times = if attempts == 1 { "1 attempt" } else { &format!("{attempts} attempts") };
            let error = format!("gave up after {times}: {reason}").into();
            return Self::Bury { error, disable_rule: false };
        }
        let wait_ms =
            policy.delay_ms(attempts, jitter).max(after_ms.min(RetryPolicy::MAX_DELAY_MS));
        let at = later(now, wait_ms);
        if at > later(created_at, RetryPolicy::MAX_AGE_MS) {
            let error =
                format!("gave up because the alert would be over a week old: {reason}").into();
            return Self::Bury { error, disable_rule: false };
        }
        Self::Retry { at, error: reason.into() }
    }

    /// What becomes of [`Self::Gone`] when it was said for the `count`th time in a
    /// row; anything else stays what it is.
    pub fn counted(self, count: u32) -> Self {
        match self {
            Self::Gone { error, gone_after, .. } if count >= gone_after => {
                let error = format!("{error}, {count} times in a row").into();
                Self::Bury { error, disable_rule: true }
            }
            Self::Gone { otherwise, .. } => *otherwise,
            other => other,
        }
    }

    /// The state it leads to; of one that is to be counted yet, the state unless
    /// the count is full.
    pub fn status(&self) -> DeliveryStatus {
        match self {
            Self::Gone { otherwise, .. } => otherwise.status(),
            Self::Deliver => DeliveryStatus::Delivered,
            Self::Retry { .. } | Self::Release { .. } => DeliveryStatus::Scheduled,
            Self::Bury { .. } => DeliveryStatus::Dead,
            Self::Supersede { .. } => DeliveryStatus::Canceled,
        }
    }
}

/// `ms` after `from`, held at the end of time.
fn later(from: Timestamp, ms: u64) -> Timestamp {
    let wait = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    from.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, proptest};

    use super::*;
    use crate::retry::Strategy as Backoff;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn policy() -> RetryPolicy {
        RetryPolicy { max_retries: 2, strategy: Backoff::Fixed, ..RetryPolicy::default() }
    }

    fn retry(after_ms: Option<u64>) -> Verdict {
        Verdict::Retry { after_ms, reason: "the target answered 500".into() }
    }

    fn after(verdict: &Verdict, attempts: u32) -> Transition {
        Transition::after_attempt(verdict, &policy(), 1, attempts, NOW, NOW, 0.5)
    }

    #[test]
    fn retries_end_after_the_policys_number() {
        assert_eq!(after(&retry(None), 2).status(), DeliveryStatus::Scheduled);
        assert_eq!(after(&retry(None), 3).status(), DeliveryStatus::Dead);
    }

    #[test]
    fn a_target_may_ask_for_a_longer_wait_but_not_for_ever() {
        let at = |after_ms| match after(&retry(Some(after_ms)), 1) {
            Transition::Retry { at, .. } => at.as_millisecond() as u64,
            other => panic!("{other:?}"),
        };
        assert_eq!(at(10), 1_000);
        assert_eq!(at(60_000), 60_000);
        assert_eq!(at(u64::MAX), RetryPolicy::MAX_DELAY_MS);
    }

    #[test]
    fn gone_buries_the_delivery_and_its_rule() {
        let gone = after(&Verdict::Gone("the target answered 410".into()), 1);
        assert!(matches!(gone, Transition::Bury { disable_rule: true, .. }));
    }

    #[test]
    fn gone_is_a_failure_like_others_until_it_was_said_often_enough() {
        let verdict = Verdict::Gone("the target answered 404".into());
        let gone =
            |attempts| Transition::after_attempt(&verdict, &policy(), 3, attempts, NOW, NOW, 0.5);
        assert!(matches!(gone(1).counted(2), Transition::Retry { .. }));
        let last = gone(3).counted(2);
        assert!(matches!(last, Transition::Bury { disable_rule: false, .. }), "{last:?}");
        let Transition::Bury { error, disable_rule: true } = gone(1).counted(3) else { panic!() };
        assert_eq!(error.as_str(), "the target answered 404, 3 times in a row");
    }

    #[test]
    fn an_alert_over_a_week_old_is_not_tried_again() {
        let now = later(NOW, RetryPolicy::MAX_AGE_MS);
        let next = Transition::after_attempt(&retry(None), &policy(), 1, 1, NOW, now, 0.0);
        assert_eq!(next.status(), DeliveryStatus::Dead);
    }

    #[test]
    fn what_a_target_gave_as_its_reason_has_a_bound_in_every_state_it_leads_to() {
        let long = "a\0b".repeat(300_000);
        let verdicts = [
            Verdict::Retry { after_ms: None, reason: long.clone() },
            Verdict::Rejected(long.clone()),
            Verdict::Gone(long),
        ];
        for verdict in verdicts {
            for (attempts, gone_after, created_at) in
                [(1, 1, NOW), (9, 1, NOW), (1, 3, NOW), (1, 1, Timestamp::MIN)]
            {
                let next = Transition::after_attempt(
                    &verdict,
                    &policy(),
                    gone_after,
                    attempts,
                    created_at,
                    NOW,
                    0.5,
                );
                for next in [next.clone(), next.clone().counted(3)] {
                    let error = match next {
                        Transition::Retry { error, .. }
                        | Transition::Bury { error, .. }
                        | Transition::Gone { error, .. } => error,
                        other => panic!("{other:?}"),
                    };
                    assert!(error.as_str().len() <= ErrorText::MAX_BYTES);
                    assert!(crate::text::is_storable(error.as_str()));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_sequence_of_failures_ends_within_the_cap(
            max_retries: u32, waits in prop::collection::vec(any::<Option<u64>>(), 52),
        ) {
            let policy = RetryPolicy { max_retries, ..policy() };
            let mut attempts = 0;
            for after_ms in waits {
                attempts += 1;
                let verdict = retry(after_ms);
                let next =
                    Transition::after_attempt(&verdict, &policy, 1, attempts, NOW, NOW, 0.5);
                if next.status().is_terminal() {
                    break;
                }
            }
            prop_assert!(attempts <= RetryPolicy::MAX_RETRIES + 1);
        }
    }
}
