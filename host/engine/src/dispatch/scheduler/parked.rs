//! What waits until a time, the earliest first.

use std::collections::BTreeMap;

use alerts_domain::Timestamp;

/// A place among what is parked.
pub(super) type Key = (Timestamp, u64);

/// What waits until a time.
#[derive(Debug)]
pub(super) struct Parked<T> {
    waiting: BTreeMap<Key, T>,
    /// How many were ever parked: tells those of one time apart, in their order.
    count: u64,
}

impl<T> Default for Parked<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), count: 0 }
    }
}

impl<T> Parked<T> {
    /// Has something wait until then.
    pub(super) fn park(&mut self, at: Timestamp, what: T) -> Key {
        self.count += 1;
        let key = (at, self.count);
        self.waiting.insert(key, what);
        key
    }

    /// It does not wait any more.
    pub(super) fn remove(&mut self, key: Key) {
        self.waiting.remove(&key);
    }

    /// When the first of them has waited long enough.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.waiting.keys().next().map(|(at, _)| *at)
    }

    /// The first of them, if its time has come.
    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<T> {
        let first = self.waiting.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// All of them, in the order of their times.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = T> + use<T> {
        std::mem::take(&mut self.waiting).into_values()
    }
}
