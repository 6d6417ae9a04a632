//! How often each of many may do something: a few times at once, then one after another at
//! a pace. Owns the counting; who waits or is refused is decided by whoever asks.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// All share so many places, by a secret hash: 128 KiB, however many strangers there are.
/// Two that share one are slowed down together.
const PLACES: usize = 16 * 1024;

/// The pace of one kind of thing.
#[derive(Debug)]
pub(crate) struct Pace {
    hasher: RandomState,
    rules: PaceRules,
    /// When the next one after those at once is due, by the clock that is never set, in
    /// microseconds.
    due_us: Mutex<Box<[i64]>>,
}

/// What pace that is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PaceRules {
    /// How many at once.
    pub(crate) at_once: u32,
    /// Time between two after that.
    pub(crate) every: Duration,
    /// How long one may wait for its turn.
    pub(crate) longest_wait: Duration,
}

/// Too many wait already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Pace {
    pub(crate) fn new(rules: PaceRules) -> Self {
        let due_us = Mutex::new(vec![i64::MIN; PLACES].into_boxed_slice());
        Self { hasher: RandomState::new(), rules, due_us }
    }

    /// Counts one of `who` at `now`, and says how long it must wait for its turn. `now` is
    /// counted from any moment that stays the same.
    pub(crate) fn begin(&self, who: impl Hash, now: Duration) -> Result<Duration, TooMany> {
        let PaceRules { at_once, every, longest_wait } = self.rules;
        let now_us = us(now);
        self.with_place(who, |due_us| {
            let turn_us = (*due_us).max(now_us - us(every * (at_once - 1)));
            let wait_us = (turn_us - now_us).max(0);
            if wait_us > us(longest_wait) {
                return Err(TooMany);
            }
            *due_us = turn_us + us(every);
            Ok(Duration::from_micros(wait_us.unsigned_abs()))
        })
    }

    /// One of `who` counts for nothing after all.
    pub(crate) fn forgive(&self, who: impl Hash) {
        self.with_place(who, |due_us| *due_us = due_us.saturating_sub(us(self.rules.every)));
    }

    fn with_place<T>(&self, who: impl Hash, look: impl FnOnce(&mut i64) -> T) -> T {
        let place = self.hasher.hash_one(who) as usize % PLACES;
        // A number has no invariant that a panic elsewhere could break.
        let mut due_us = self.due_us.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut due_us[place])
    }
}

fn us(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
