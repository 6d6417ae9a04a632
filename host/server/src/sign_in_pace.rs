//! How often one address may try to sign in: a few times at once, then one try a second.
//! Owns the counting; who waits or is refused is decided where requests are answered.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::connections::network_of;

/// Wrong keys in a row before an address is slowed down: whoever pastes a key wrongly
/// does so a few times.
const AT_ONCE: u32 = 5;
/// Time between two tries after that. Keys cannot be guessed at any speed; a key that an
/// operator chose badly can, and not at this one.
const PACE: Duration = Duration::from_secs(1);
/// How long a try may wait for its turn. A person waits so long; a program that guesses
/// on many connections is refused.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Addresses share so many places, by a secret hash: 128 KiB, however many strangers
/// there are. Two that share one are slowed down together.
const PLACES: usize = 16 * 1024;

/// The tries of all addresses.
#[derive(Debug)]
pub(crate) struct SignInPace {
    hasher: RandomState,
    /// When the next try after those at once is due, by the clock that is never set, in
    /// microseconds.
    due_us: Mutex<Box<[i64]>>,
}

/// Too many tries wait already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl SignInPace {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            due_us: Mutex::new(vec![i64::MIN; PLACES].into_boxed_slice()),
        }
    }

    /// Counts a try at `now`, and says how long it must wait for its turn. `now` is
    /// counted from any moment that stays the same.
    pub(crate) fn begin(&self, address: IpAddr, now: Duration) -> Result<Duration, TooMany> {
        let now_us = us(now);
        self.with_place(address, |due_us| {
            let turn_us = (*due_us).max(now_us - us(PACE * (AT_ONCE - 1)));
            let wait_us = (turn_us - now_us).max(0);
            if wait_us > us(LONGEST_WAIT) {
                return Err(TooMany);
            }
            *due_us = turn_us + us(PACE);
            Ok(Duration::from_micros(wait_us.unsigned_abs()))
        })
    }

    /// A try had the right key, and so counts for nothing.
    pub(crate) fn succeeded(&self, address: IpAddr) {
        self.with_place(address, |due_us| *due_us = due_us.saturating_sub(us(PACE)));
    }

    fn with_place<T>(&self, address: IpAddr, look: impl FnOnce(&mut i64) -> T) -> T {
        let place = self.hasher.hash_one(network_of(address)) as usize % PLACES;
        // A number has no invariant that a panic elsewhere could break.
        let mut due_us = self.due_us.lock().unwrap_or_else(PoisonError::into_inner);
        look(&mut due_us[place])
    }
}

fn us(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    fn address(last: u8) -> IpAddr {
        [203, 0, 113, last].into()
    }

    #[test]
    fn a_few_tries_go_at_once_then_each_waits_longer_and_then_they_are_refused() {
        let pace = SignInPace::new();
        let waits: Vec<_> = std::iter::from_fn(|| pace.begin(address(1), NOW).ok()).collect();
        let seconds: Vec<_> = waits.iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]);
        assert_eq!(pace.begin(address(1), NOW), Err(TooMany));
        assert_eq!(pace.begin(address(1), NOW + PACE), Ok(LONGEST_WAIT));
        let later = NOW + Duration::from_secs(60);
        assert_eq!(pace.begin(address(1), later), Ok(Duration::ZERO), "all is forgotten");
    }

    #[test]
    fn neither_other_addresses_nor_right_keys_are_slowed_down() {
        let pace = SignInPace::new();
        while pace.begin(address(1), NOW).is_ok() {}
        // One of these may share the place of the first.
        let free = (2..=9).filter(|last| pace.begin(address(*last), NOW) == Ok(Duration::ZERO));
        assert!(free.count() >= 7);
        let pace = SignInPace::new();
        for _ in 0..100 {
            assert_eq!(pace.begin(address(1), NOW), Ok(Duration::ZERO));
            pace.succeeded(address(1));
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let pace = SignInPace::new();
        let of = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let tries = (0..100).filter(|last| pace.begin(of(*last), NOW).is_ok());
        assert_eq!(tries.count(), 10);
    }
}
