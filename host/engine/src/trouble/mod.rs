//! The host's own trouble, told as events: what is noted where it happens (`notes`), and what
//! of it is to be told when (`endpoint`, `rule`). `background/trouble` tells it.
//!
//! Kept in memory, each host for itself: what one forgets at a restart is told again when it
//! happens again. Nothing is noted of alerts that are themselves about trouble.

mod endpoint;
mod notes;
mod rule;

use std::time::Duration;

use alerts_domain::Timestamp;

pub(crate) use notes::{Due, TroubleNotes};

/// Least time between two events of a kind about one endpoint: of one that comes and goes,
/// people want to know, and not each time.
const GAP: Duration = Duration::from_secs(300);

/// The occasion of an event that is told at most once in `gap`: hosts that tell of the same at
/// about the same time say the same.
fn occasion(now: Timestamp, gap: Duration) -> String {
    let gap = i64::try_from(gap.as_secs()).unwrap_or(i64::MAX).max(1);
    now.as_second().div_euclid(gap).to_string()
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}
