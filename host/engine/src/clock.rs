//! Time, passed in: the system's in production, a hand-moved one in tests.

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alerts_domain::Timestamp;
use tokio::sync::watch;

/// Where the engine reads the time and waits for it.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Ends once `now()` is at `until` or past it, and also when the clock is set
    /// back meanwhile: what waits must then look again at what it waits for.
    fn sleep_until(&self, until: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// How long since a moment that stays the same for the whole process. Goes on
    /// evenly when the clock is set, so it is what durations are measured with.
    fn monotonic(&self) -> Duration;

    /// In so long.
    fn after(&self, wait: Duration) -> Timestamp {
        self.now().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }
}

/// What the machine's durations are counted from.
static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl SystemClock {
    /// Longest single sleep. The wall clock may be set forward while we sleep
    /// on the monotonic one; looking again this often bounds the delay.
    const LONGEST_SLEEP: Duration = Duration::from_secs(1);
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // No finer than what the database keeps: a time that is read back is
        // the time that was told, and every attempt sends the same bytes.
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn sleep_until(&self, until: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let mut last = self.now();
            loop {
                let now = self.now();
                match Duration::try_from(until.duration_since(now)) {
                    Ok(left) if !left.is_zero() && now >= last => {
                        last = now;
                        tokio::time::sleep(left.min(Self::LONGEST_SLEEP)).await;
                    }
                    _ => return,
                }
            }
        })
    }

    fn monotonic(&self) -> Duration {
        BEGINNING.elapsed()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now: watch::Sender<Timestamp>,
    /// How far it was moved forward, in nanoseconds.
    run: AtomicU64,
}

impl ManualClock {
    /// Stands at `now`, to the microsecond, as the machine's clock is told.
    pub fn new(now: Timestamp) -> Self {
        let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        Self { now: watch::Sender::new(now), run: AtomicU64::new(0) }
    }

    /// Moves it forward; whoever waits for a time in between wakes up.
    pub fn advance(&self, by: Duration) {
        self.run.fetch_add(by.as_nanos() as u64, Ordering::Relaxed);
        self.now.send_modify(|now| *now = now.saturating_add(by).unwrap_or(Timestamp::MAX));
    }

    /// Sets it back, as an operator or a time server may do to a machine's clock.
    pub fn set_back(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.saturating_sub(by).unwrap_or(Timestamp::MIN));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    fn sleep_until(&self, until: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut moved = self.now.subscribe();
        let mut last = *moved.borrow();
        Box::pin(async move {
            let ended = |now: &Timestamp| {
                let was_set_back = *now < std::mem::replace(&mut last, *now);
                *now >= until || was_set_back
            };
            // The sender lives in `self`, so waiting cannot fail.
            let _ = moved.wait_for(ended).await;
        })
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.run.load(Ordering::Relaxed))
    }
}
