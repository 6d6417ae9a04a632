//! One connection, as the watch over all of them sees it: whether it has asked for
//! anything, whether it is at work, and whether it takes what it is answered.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Bytes that a client must take within the deadline for a write: less is not
/// reading, it is holding an answer.
const LEAST_TAKEN: u64 = 64 * 1024;

/// What is known of a connection.
#[derive(Debug)]
pub(super) struct Place {
    opened_at: Instant,
    /// Milliseconds after it was opened when it last ended a request; none yet for 0.
    idle_since_ms: AtomicU64,
    requests: AtomicUsize,
    ever: AtomicUsize,
    /// Milliseconds after it was opened since when bytes wait for the client; none
    /// wait for 0.
    blocked_since_ms: AtomicU64,
    taken_while_blocked: AtomicU64,
    /// Answers of which the next piece waits to be asked for, and since when.
    waiting: Mutex<Vec<(usize, Instant)>>,
    cut: CancellationToken,
    leave: CancellationToken,
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            opened_at: Instant::now(),
            idle_since_ms: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
            ever: AtomicUsize::new(0),
            blocked_since_ms: AtomicU64::new(0),
            taken_while_blocked: AtomicU64::new(0),
            waiting: Mutex::default(),
            cut: CancellationToken::new(),
            leave: CancellationToken::new(),
        }
    }

    fn now_ms(&self) -> u64 {
        // Never 0, which means none.
        self.opened_at.elapsed().as_millis() as u64 + 1
    }

    /// A request whose head has arrived, until its answer is done with.
    pub(super) fn begin_request(place: &Arc<Self>) -> UnderWay {
        place.requests.fetch_add(1, Ordering::Relaxed);
        let number = place.ever.fetch_add(1, Ordering::Relaxed);
        UnderWay { place: place.clone(), number }
    }

    /// Whether it has made no request yet.
    pub(super) fn is_silent(&self) -> bool {
        self.ever.load(Ordering::Relaxed) == 0
    }

    /// Whether it is not at work.
    pub(super) fn is_idle(&self) -> bool {
        self.requests.load(Ordering::Relaxed) == 0
    }

    /// Since when it has done nothing.
    pub(super) fn idle_since(&self) -> Instant {
        self.opened_at + Duration::from_millis(self.idle_since_ms.load(Ordering::Relaxed))
    }

    /// Whether it should be cut: it was opened and nothing was asked for, or the
    /// client does not read.
    pub(super) fn is_stuck(&self, first_request: Duration, write: Duration) -> bool {
        if self.is_silent() && self.opened_at.elapsed() >= first_request {
            return true;
        }
        let blocked = self.blocked_since_ms.load(Ordering::Relaxed);
        let waits = |(_, since): &(usize, Instant)| since.elapsed() >= write;
        (blocked > 0 && self.now_ms().saturating_sub(blocked) >= write.as_millis() as u64)
            || self.waiting().iter().any(waits)
    }

    /// Bytes could not be written: the client has not taken those before.
    pub(super) fn blocked(&self) {
        let now = self.now_ms();
        let none =
            self.blocked_since_ms.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        if none.is_ok() {
            self.taken_while_blocked.store(0, Ordering::Relaxed);
        }
    }

    /// The client has taken some of what waited.
    pub(super) fn took(&self, bytes: usize) {
        let before = self.taken_while_blocked.fetch_add(bytes as u64, Ordering::Relaxed);
        if before + bytes as u64 >= LEAST_TAKEN {
            self.took_all();
        }
    }

    /// Nothing waits for the client.
    pub(super) fn took_all(&self) {
        self.blocked_since_ms.store(0, Ordering::Relaxed);
    }

    /// Ends it now.
    pub(super) fn set_cut(&self) {
        self.cut.cancel();
    }

    /// Ends it once what it has begun is done.
    pub(super) fn set_leave(&self) {
        self.leave.cancel();
    }

    /// Ends when it is to be cut.
    pub(super) async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Ends when it is to make room.
    pub(super) async fn must_leave(&self) {
        self.leave.cancelled().await;
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<(usize, Instant)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request of a connection, until its answer is done with.
#[derive(Debug)]
pub(super) struct UnderWay {
    place: Arc<Place>,
    /// Apart from the others of its connection.
    number: usize,
}

impl UnderWay {
    /// The client is to ask for the next piece of the answer.
    pub(super) fn given(&self) {
        self.place.waiting().push((self.number, Instant::now()));
    }

    /// It has.
    pub(super) fn asked(&self) {
        self.place.waiting().retain(|(number, _)| *number != self.number);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.asked();
        self.place.idle_since_ms.store(self.place.now_ms(), Ordering::Relaxed);
        self.place.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(10);
    const WRITE: Duration = Duration::from_secs(30);

    async fn after(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_asks_for_nothing_is_stuck_and_one_that_has_asked_is_not() {
        let (silent, asked) = (Place::new(), Arc::new(Place::new()));
        drop(Place::begin_request(&asked));
        after(9).await;
        assert!(!silent.is_stuck(FIRST, WRITE));
        after(100).await;
        assert!(silent.is_stuck(FIRST, WRITE) && !asked.is_stuck(FIRST, WRITE));
        assert!(asked.is_idle() && !asked.is_silent());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_must_take_a_fair_piece_of_what_waits_for_it() {
        let place = Arc::new(Place::new());
        let _request = Place::begin_request(&place);
        place.blocked();
        after(20).await;
        place.took(100);
        place.blocked();
        after(20).await;
        assert!(place.is_stuck(FIRST, WRITE), "a byte now and then is not reading");
        place.took(LEAST_TAKEN as usize);
        assert!(!place.is_stuck(FIRST, WRITE));
        place.blocked();
        after(29).await;
        place.took_all();
        after(29).await;
        assert!(!place.is_stuck(FIRST, WRITE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_piece_that_nobody_asks_for_is_stuck_however_much_others_move() {
        let place = Arc::new(Place::new());
        let (held, moving) = (Place::begin_request(&place), Place::begin_request(&place));
        held.given();
        for _ in 0..4 {
            moving.given();
            after(10).await;
            moving.asked();
        }
        assert!(place.is_stuck(FIRST, WRITE));
        drop(held);
        assert!(!place.is_stuck(FIRST, WRITE));
    }
}
