//! How often one address may try to sign in: a few times at once, then one try a second.

use std::net::IpAddr;
use std::time::Duration;

use crate::connections::network_of;
use crate::pace::{Pace, PaceRules, TooMany};

/// Time between two tries after those at once. Keys cannot be guessed at any speed; a key
/// that an operator chose badly can, and not at this one.
const PACE: Duration = Duration::from_secs(1);
/// How long a try may wait for its turn. A person waits so long; a program that guesses
/// on many connections is refused.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Wrong keys in a row before an address is slowed down: whoever pastes a key wrongly
/// does so a few times.
const RULES: PaceRules = PaceRules { at_once: 5, every: PACE, longest_wait: LONGEST_WAIT };

/// The tries of all addresses.
#[derive(Debug)]
pub(crate) struct SignInPace(Pace);

impl SignInPace {
    pub(crate) fn new() -> Self {
        Self(Pace::new(RULES))
    }

    /// Counts a try at `now`, and says how long it must wait for its turn.
    pub(crate) fn begin(&self, address: IpAddr, now: Duration) -> Result<Duration, TooMany> {
        self.0.begin(network_of(address), now)
    }

    /// A try had the right key, and so counts for nothing.
    pub(crate) fn succeeded(&self, address: IpAddr) {
        self.0.forgive(network_of(address));
    }
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
