//! A histogram of milliseconds with fixed buckets, so that those of several hosts and
//! steps add up, and percentiles of the sum are those of all that was measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Each doubling has so many buckets of the same width: a percentile is off by a
/// sixteenth of itself at most.
const PER_DOUBLING: u64 = 8;
const DOUBLING_BITS: u32 = PER_DOUBLING.ilog2();

/// How many durations fell into which bucket. There are fewer than 500 buckets however
/// long the durations, and 230 for a week, beyond which no alert is sent; only
/// those that hold something are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Latencies(BTreeMap<u16, u64>);

impl Latencies {
    /// Adds one duration, in milliseconds.
    pub fn record(&mut self, ms: u64) {
        *self.0.entry(bucket(ms)).or_default() += 1;
    }

    /// Adds all that another one holds.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            let sum = self.0.entry(*bucket).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// How many durations it holds.
    pub fn count(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The duration in milliseconds that `percent` of all are not longer than (nearest
    /// rank), as the middle of its bucket; none when there are no durations.
    pub fn percentile_ms(&self, percent: u8) -> Option<u64> {
        let count = u128::from(self.count());
        let rank = (count * u128::from(percent.min(100))).div_ceil(100).max(1);
        let mut passed = 0;
        let found = self.0.iter().find(|(_, count)| {
            passed += u128::from(**count);
            passed >= rank
        });
        found.map(|(bucket, _)| middle_ms(*bucket))
    }
}

/// Below [`PER_DOUBLING`] each millisecond has its own bucket; from there on each
/// doubling has as many.
fn bucket(ms: u64) -> u16 {
    let bucket = match ms {
        0..PER_DOUBLING => ms,
        _ => {
            let shift = ms.ilog2() - DOUBLING_BITS;
            u64::from(shift) * PER_DOUBLING + (ms >> shift)
        }
    };
    // At most 60 * 8 + 15.
    u16::try_from(bucket).unwrap_or(u16::MAX)
}

fn middle_ms(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < 2 * PER_DOUBLING {
        return bucket;
    }
    let shift = bucket / PER_DOUBLING - 1;
    let first = u128::from(bucket - shift * PER_DOUBLING) << shift.min(64);
    let middle = first + (1_u128 << shift.min(64)) / 2;
    u64::try_from(middle).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(durations: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::default();
        durations.into_iter().for_each(|ms| latencies.record(ms));
        latencies
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Latencies::default().percentile_ms(50), None);
    }

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let latencies = of(1..=10);
        assert_eq!(latencies.percentile_ms(50), Some(5));
        assert_eq!(latencies.percentile_ms(99), Some(10));
        assert_eq!(latencies.percentile_ms(0), Some(1));
        assert_eq!(of([0]).percentile_ms(99), Some(0));
        assert_eq!(of(vec![3; 99].into_iter().chain([900])).percentile_ms(99), Some(3));
        assert!(of(vec![3; 98].into_iter().chain([900; 2])).percentile_ms(99) > Some(840));
    }

    #[test]
    fn the_longest_duration_has_a_bucket_too() {
        let longest = of([u64::MAX]);
        assert!(longest.percentile_ms(50).is_some_and(|ms| ms > u64::MAX / 16 * 15));
        assert!(bucket(u64::MAX) < 500);
    }

    #[test]
    fn a_bucket_that_another_release_wrote_does_no_harm() {
        let unknown: Latencies = serde_json::from_str(r#"{"65535":1}"#).unwrap();
        assert_eq!(unknown.percentile_ms(50), Some(u64::MAX));
    }

    #[test]
    fn it_reads_back_as_written() {
        let latencies = of([0, 7, 8, 500, 500, 1_000_000]);
        let json = serde_json::to_string(&latencies).unwrap();
        assert_eq!(serde_json::from_str::<Latencies>(&json).unwrap(), latencies);
    }

    proptest! {
        #[test]
        fn a_percentile_is_off_by_a_sixteenth_at_most(ms in 0..u64::MAX / 2) {
            let told = of([ms]).percentile_ms(50).unwrap();
            prop_assert!(told.abs_diff(ms) <= ms / 16, "{told} for {ms}");
        }

        #[test]
        fn sums_are_the_same_as_what_was_measured_together(
            first in prop::collection::vec(0_u64..10_000_000, 0..50),
            second in prop::collection::vec(0_u64..10_000_000, 0..50),
        ) {
            let mut sum = of(first.clone());
            sum.add(&of(second.clone()));
            prop_assert_eq!(sum, of(first.into_iter().chain(second)));
        }
    }
}
