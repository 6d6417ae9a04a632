//! The time by which connections are judged: the machine's, and in tests one that
//! moves by hand.

#[cfg(not(test))]
pub(super) fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

#[cfg(test)]
pub(super) use by_hand::{advance, now};

#[cfg(test)]
mod by_hand {
    use std::cell::Cell;
    use std::time::Duration;

    use tokio::time::Instant;

    thread_local! {
        static STANDS_AT: Cell<Option<Instant>> = const { Cell::new(None) };
    }

    /// Stands still from the first look on.
    pub(in crate::connections) fn now() -> Instant {
        let now = STANDS_AT.get().unwrap_or_else(Instant::now);
        STANDS_AT.set(Some(now));
        now
    }

    /// Moves this test's time on.
    pub(in crate::connections) fn advance(by: Duration) {
        STANDS_AT.set(Some(now() + by));
    }
}
