//! Randomness, passed in: seeded by the system in production, by a number in
//! tests, so that a run can be repeated.

use std::sync::{Mutex, MutexGuard, PoisonError};

use alerts_domain::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// A cryptographically strong generator behind a lock.
#[derive(Debug)]
pub struct Entropy(Mutex<State>);

#[derive(Debug)]
struct State {
    rng: StdRng,
    /// Millisecond and random part of the newest id.
    newest: (i64, u128),
}

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_system() -> Self {
        Self::new(rand::make_rng())
    }

    /// The same sequence for the same seed. For tests.
    pub fn from_seed(seed: u64) -> Self {
        Self::new(StdRng::seed_from_u64(seed))
    }

    fn new(rng: StdRng) -> Self {
        Self(Mutex::new(State { rng, newest: (i64::MIN, 0) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A generator has no invariant that a panic elsewhere could break.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.state().rng)
    }

    /// For an id made at `now`. Ids of one millisecond come in the order in
    /// which they were made, so that lists show things in the order in which
    /// they happened.
    pub fn id<T>(&self, now: Timestamp, make: impl FnOnce(Timestamp, u128) -> T) -> T {
        /// Of the 80 random bits of an id the upper 16 begin as zero, which
        /// leaves room for counting on from a random start.
        const START: u128 = (1 << 64) - 1;
        /// Largest step, so that the next id cannot be guessed.
        const STEP: u128 = (1 << 32) - 1;

        let state = &mut *self.state();
        let drawn: u128 = state.rng.random();
        let millisecond = now.as_millisecond();
        state.newest = match state.newest {
            (newest, random) if newest == millisecond => (newest, random + 1 + (drawn & STEP)),
            _ => (millisecond, drawn & START),
        };
        make(now, state.newest.1)
    }

    /// From the unit interval.
    pub fn unit(&self) -> f64 {
        self.with(|rng| rng.random())
    }

    /// Random bytes, for keys and nonces.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.with(|rng| rng.fill_bytes(&mut bytes));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use alerts_domain::id::EventId;

    use super::*;

    #[test]
    fn ids_of_one_millisecond_are_in_order_and_differ() {
        let (entropy, now) = (Entropy::from_seed(1), Timestamp::UNIX_EPOCH);
        let ids: Vec<EventId> = (0..1000).map(|_| entropy.id(now, EventId::new)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
