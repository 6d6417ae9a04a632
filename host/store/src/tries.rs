//! How often a transaction is tried that got into another's way, and the pauses
//! in between.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use crate::error::StoreError;

/// How often a transaction that got into another's way is tried again. Each time
/// one of the two is through, so more than a few are a sign of something else.
const TRIES: u32 = 6;
/// The longest pause before the second try; each later one may be twice as long.
const PAUSE: Duration = Duration::from_millis(10);

/// How often something was tried, and the pauses in between.
#[derive(Debug, Default)]
pub(crate) struct Tries(u32);

impl Tries {
    /// Whether it should be tried again after this error; if so, after a pause.
    pub(crate) async fn again(&mut self, error: &StoreError) -> bool {
        self.0 += 1;
        if !error.is_conflict() || self.0 >= TRIES {
            return false;
        }
        metrics::counter!("alerts_transactions_retried_total").increment(1);
        tokio::time::sleep(jittered(PAUSE * 2_u32.pow(self.0 - 1))).await;
        true
    }
}

/// A part of it, by chance: two that met must not meet again. Any number that
/// differs between hosts will do.
fn jittered(pause: Duration) -> Duration {
    let chance = RandomState::new().hash_one(Instant::now()) % 1000;
    pause * u32::try_from(chance).unwrap_or(0) / 1000
}
