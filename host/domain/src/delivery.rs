//! Deliveries: one alert on its way to one endpoint, and every state it can be in.
//!
//! ```text
//!              ┌───────── retry ─────────┐
//!              ▼                         │
//!         Scheduled ──── claimed ───▶ Leased ──▶ Delivered
//!           │    ▲                    │   │
//!       cancel   └── host died ───────┘   └────▶ Dead
//!           ▼
//!        Canceled             Skipped (from the start)
//! ```
//!
//! Terminal states are never left. Redriving makes a new delivery that points
//! to the old one.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::exchange::{Exchange, Verdict};
use crate::id::{DeliveryId, EndpointId, EventId, HostId, RuleId};
use crate::retry::RetryPolicy;
use crate::tenant::TenantId;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Waits for its time.
    Scheduled,
    /// In the hands of a host.
    Leased,
    /// The target has it.
    Delivered,
    /// Used up its retries or was rejected: a dead letter.
    Dead,
    /// Stopped by a person.
    Canceled,
    /// Never meant to be sent: its endpoint was off when the rule matched.
    Skipped,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Scheduled, Self::Leased, Self::Delivered, Self::Dead, Self::Canceled, Self::Skipped];

    /// The word in the API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Leased => "leased",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
        }
    }

    /// Whether it is never left.
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Leased)
    }

    /// Whether a person may have it sent again, as a new delivery.
    pub fn can_be_redriven(self) -> bool {
        matches!(self, Self::Dead | Self::Skipped)
    }
}

impl fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            format!(
                "`{text}` is not a delivery status; use {}",
                Self::ALL.map(Self::as_str).join(", ")
            )
        })
    }
}

/// A stored delivery. The alert's bytes are not in it: they are built from it
/// and its event whenever they are needed (see [`crate::alert`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `dlv_…`, the same in every attempt.
    pub id: DeliveryId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What happened.
    pub event_id: EventId,
    /// Why it is sent; none for a test.
    pub alert_rule_id: Option<RuleId>,
    /// The rule's name when it fired, so that every attempt sends the same bytes.
    pub rule_name: String,
    /// The trigger's type and figures when it fired, as the alert shows them.
    pub trigger: serde_json::Value,
    /// Where it goes.
    pub webhook_endpoint_id: EndpointId,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts begun and recorded.
    pub attempt_count: u32,
    /// When it is due, while it is scheduled.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, or why it was skipped.
    pub last_error: Option<String>,
    /// The dead or skipped delivery it repeats.
    pub redrive_of: Option<DeliveryId>,
    /// When the rule fired.
    pub created_at: Timestamp,
    /// When it reached a terminal state.
    pub finished_at: Option<Timestamp>,
}

/// The right to work on a delivery. Every claim raises the fence, so that a
/// worker who was thought dead cannot write over the one who came after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub host: HostId,
    /// Counts claims, not attempts.
    pub fence: i64,
}

/// One try at a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Of the last response, if there was one.
    pub status_code: Option<u16>,
    /// [`Verdict::word`].
    pub verdict: String,
    /// Why it failed, for the tenant.
    pub error: Option<String>,
    /// What the adapter noted of a delivery that went well: a vendor's message id.
    pub note: Option<String>,
    /// `sha256:…` of the plugin that decided it.
    pub plugin_digest: String,
    /// Version of the endpoint's settings it used.
    pub endpoint_version: i64,
    /// What was said, references in place of secrets.
    pub exchanges: Vec<Exchange>,
}

/// The randomness that an adapter may use in one attempt: known from the outside
/// too, so that any attempt can be replayed. The first eight bytes of a SHA-256.
pub fn attempt_seed(id: DeliveryId, number: u32) -> u64 {
    let digest = Sha256::digest(format!("exosphere attempt seed\0{id}:{number}"));
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

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
        error: String,
    },
    /// To `Dead`.
    Bury {
        /// Why.
        error: String,
        /// Whether its rule is switched off too: the target is gone.
        disable_rule: bool,
    },
    /// The target said that it is gone, and its endpoint waits for that to be said
    /// several times in a row. How often it was said is known to the database
    /// alone, where all hosts count.
    Gone {
        /// Why.
        error: String,
        /// So many in a row bury the delivery and switch its rule off.
        gone_after: u32,
        /// Where it goes before that: what the policy says of any other failure.
        otherwise: Box<Transition>,
    },
    /// Back to `Scheduled` without an attempt: nothing was sent, and nothing
    /// counts against the delivery (shutdown; a plugin that is not there).
    Release {
        /// When it is due.
        at: Timestamp,
        /// Why, if a person should know.
        reason: Option<String>,
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
                return Self::Bury { error: reason.clone(), disable_rule: false };
            }
            Verdict::Gone(reason) if gone_after <= 1 => {
                return Self::Bury { error: reason.clone(), disable_rule: true };
            }
            Verdict::Gone(reason) => {
                let failed = Verdict::Retry { after_ms: None, reason: reason.clone() };
                let otherwise = Self::after_attempt(
                    &failed, policy, gone_after, attempts, created_at, now, jitter,
                );
                let (error, otherwise) = (reason.clone(), otherwise.into());
                return Self::Gone { error, gone_after, otherwise };
            }
            Verdict::Retry { after_ms, reason } => (after_ms.unwrap_or(0), reason),
        };
        let allowed = policy.max_retries.min(RetryPolicy::MAX_RETRIES);
        if attempts > allowed {
            let times = if attempts == 1 { "1 attempt" } else { &format!("{attempts} attempts") };
            let error = format!("gave up after {times}: {reason}");
            return Self::Bury { error, disable_rule: false };
        }
        let wait_ms =
            policy.delay_ms(attempts, jitter).max(after_ms.min(RetryPolicy::MAX_DELAY_MS));
        let at = later(now, wait_ms);
        if at > later(created_at, RetryPolicy::MAX_AGE_MS) {
            let error = format!("gave up because the alert would be over a week old: {reason}");
            return Self::Bury { error, disable_rule: false };
        }
        Self::Retry { at, error: reason.clone() }
    }

    /// What becomes of [`Self::Gone`] when it was said for the `count`th time in a
    /// row; anything else stays what it is.
    pub fn counted(self, count: u32) -> Self {
        match self {
            Self::Gone { error, gone_after, .. } if count >= gone_after => {
                let error = format!("{error}, {count} times in a row");
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
        assert_eq!(error, "the target answered 404, 3 times in a row");
    }

    #[test]
    fn an_alert_over_a_week_old_is_not_tried_again() {
        let now = later(NOW, RetryPolicy::MAX_AGE_MS);
        let next = Transition::after_attempt(&retry(None), &policy(), 1, 1, NOW, now, 0.0);
        assert_eq!(next.status(), DeliveryStatus::Dead);
    }

    #[test]
    fn statuses_read_back_as_written() {
        for status in DeliveryStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
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

    #[test]
    fn an_unknown_status_is_refused_with_those_there_are() {
        let refused = "lost".parse::<DeliveryStatus>().unwrap_err();
        for status in DeliveryStatus::ALL {
            assert!(refused.contains(&status.to_string()), "{refused}");
        }
    }
}
