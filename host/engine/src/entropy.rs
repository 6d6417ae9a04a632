//! Randomness, passed in: seeded by the system in production, by a number in
//! tests, so that a run can be repeated.

use std::sync::Mutex;

use alerts_domain::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// A cryptographically strong generator behind a lock.
#[derive(Debug)]
pub struct Entropy(Mutex<StdRng>);

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_system() -> Self {
        Self(Mutex::new(rand::make_rng()))
    }

    /// The same sequence for the same seed. For tests.
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    fn with<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        // A generator has no invariant that a panic elsewhere could break.
        draw(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// For an id made at `now`.
    pub fn id<T>(&self, now: Timestamp, make: impl FnOnce(Timestamp, u128) -> T) -> T {
        make(now, self.with(|rng| rng.random()))
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

    /// A random number.
    pub fn seed(&self) -> u64 {
        self.with(|rng| rng.random())
    }
}
