//! How many plugin files compile at once, and which of them a starting host waits for.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

/// Files from this size on compile for seconds: an interpreter with a program in
/// it. Smaller ones are done within one, and do not wait for those.
const LARGE_BYTES: usize = 1 << 20;
/// Of each kind. Compiling uses all cores, and a few hundred MiB for a large file;
/// two, so that one that hangs does not hold up all others until its deadline.
const AT_ONCE: usize = 2;
/// How long a starting host waits for what is compiled already. Each takes
/// milliseconds; a damaged cache must not keep the host from serving.
const START_WAIT: Duration = Duration::from_secs(2);

/// Held by what a starting host waits for.
pub(super) type Starting = Option<mpsc::Sender<()>>;

/// Turns at compiling, and the start.
#[derive(Debug)]
pub(super) struct Admissions {
    small: Semaphore,
    large: Semaphore,
    /// Until the host has started.
    starting: Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>>,
}

impl Default for Admissions {
    fn default() -> Self {
        Self {
            small: Semaphore::new(AT_ONCE),
            large: Semaphore::new(AT_ONCE),
            starting: Mutex::new(Some(mpsc::channel(1))),
        }
    }
}

impl Admissions {
    /// The right to compile a file of this size, as long as it is held.
    pub(super) async fn turn(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let turns = if bytes < LARGE_BYTES { &self.small } else { &self.large };
        // Never closed, so there is always one in the end.
        turns.acquire().await.ok()
    }

    /// For a file of which it is not known yet whether the start waits for it.
    pub(super) fn starting(&self) -> Starting {
        let starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        starting.as_ref().map(|(sender, _)| sender.clone())
    }

    /// Waits until every file that was found and is compiled already is in use. What
    /// is still to be compiled goes on, and nobody waits for it.
    pub(super) async fn compiled_ones_are_in(&self) {
        let starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((sender, mut done)) = starting else { return };
        drop(sender);
        // Nothing is ever sent: it ends when nobody holds a sender any more.
        if tokio::time::timeout(START_WAIT, done.recv()).await.is_err() {
            tracing::warn!("compiled plugins take long to load; serving without them meanwhile");
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_small_file_does_not_wait_for_large_ones_nor_a_second_one_for_the_first() {
        let admissions = Admissions::default();
        let (first, second) =
            (admissions.turn(LARGE_BYTES).await, admissions.turn(32 * LARGE_BYTES).await);
        assert!(first.is_some() && second.is_some(), "side by side");
        assert!(admissions.turn(LARGE_BYTES).now_or_never().is_none(), "no more than two");
        let small = [admissions.turn(0).now_or_never(), admissions.turn(99).now_or_never()];
        assert!(small.iter().all(Option::is_some), "they have turns of their own");
        drop(first);
        assert!(admissions.turn(LARGE_BYTES).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_start_waits_for_what_is_compiled_and_for_nothing_that_comes_later() {
        let admissions = Admissions::default();
        let held = admissions.starting();
        assert!(held.is_some());
        let mut waits = Box::pin(admissions.compiled_ones_are_in());
        assert!(waits.as_mut().now_or_never().is_none(), "one is not in yet");
        drop(held);
        waits.await;
        assert!(admissions.starting().is_none(), "the host has started");
        assert!(admissions.compiled_ones_are_in().now_or_never().is_some());
    }
}
