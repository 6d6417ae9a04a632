//! The supervisor: runs background loops, starts a loop again that panicked, and
//! knows which of them are silent.
//!
//! A loop keeps in memory nothing that a round does not read anew, so it is
//! reconciled by beginning with a whole round. Work that a panic left in nobody's
//! hands is given back by the `lease` loop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::health::Trouble;
use crate::panics::{Panicked, caught};

/// Between a panic and the next round: the first time, and at most. Whatever it
/// was is likely to be there again, and each time costs a stack trace in the log.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Something that is done again and again.
pub trait BackgroundLoop: Send + 'static {
    /// How it is called in the log, in metrics and where health is told.
    const NAME: &'static str;
    /// How long a round may go on without a beat of its pulse.
    const SILENT_AFTER: Duration;
    /// Whether it rests before its first round.
    const RESTS_FIRST: bool = false;

    /// One round. One that is long beats its pulse in between.
    fn round(&mut self, pulse: &Pulse) -> impl Future<Output = ()> + Send;

    /// Until there is something to do again.
    fn rest(&mut self) -> impl Future<Output = ()> + Send;
}

/// How a loop shows that it lives.
#[expect(missing_debug_implementations, reason = "a clock has nothing to show")]
pub struct Pulse {
    clock: Arc<dyn Clock>,
    name: &'static str,
    silent_after: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// When the round that is under way showed life, by the clock that is never set;
    /// none while it rests.
    working: Option<Duration>,
    /// Rounds in a row that ended with a panic.
    panics: u32,
}

impl Pulse {
    fn new(clock: Arc<dyn Clock>, name: &'static str, silent_after: Duration) -> Self {
        Self { clock, name, silent_after, state: Mutex::new(State { working: None, panics: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The round goes on.
    pub fn beat(&self) {
        self.state().working = Some(self.clock.monotonic());
    }

    fn completed(&self) {
        *self.state() = State { working: None, panics: 0 };
    }

    /// Says how many panics in a row that were.
    fn panicked(&self) -> u32 {
        let mut state = self.state();
        state.working = None;
        state.panics = state.panics.saturating_add(1);
        state.panics
    }

    fn trouble(&self) -> Option<Trouble> {
        let State { working, panics } = *self.state();
        let name = self.name;
        let quiet =
            working.map_or(Duration::ZERO, |since| self.clock.monotonic().saturating_sub(since));
        if quiet > self.silent_after {
            return Some(Trouble::Silent { name, quiet });
        }
        (panics > 0).then_some(Trouble::Failing { name, panics })
    }
}

/// All background loops of a host. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Supervisor {
    clock: Arc<dyn Clock>,
    pulses: Arc<Mutex<Vec<Arc<Pulse>>>>,
    stop: CancellationToken,
}

impl Supervisor {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, pulses: Arc::default(), stop: CancellationToken::new() }
    }

    fn pulses(&self) -> MutexGuard<'_, Vec<Arc<Pulse>>> {
        self.pulses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a loop until [`Self::stop`].
    pub(crate) fn start<L: BackgroundLoop>(&self, the_loop: L) {
        let pulse = Arc::new(Pulse::new(self.clock.clone(), L::NAME, L::SILENT_AFTER));
        self.pulses().push(pulse.clone());
        let stop = self.stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(run(the_loop, &pulse)).await });
    }

    /// Stops all loops, wherever they are.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Which loops are silent or fail.
    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        self.pulses().iter().filter_map(|pulse| pulse.trouble()).collect()
    }
}

async fn run<L: BackgroundLoop>(mut the_loop: L, pulse: &Pulse) {
    let mut rests = L::RESTS_FIRST;
    loop {
        let ended = caught(L::NAME, async {
            if std::mem::take(&mut rests) {
                the_loop.rest().await;
            }
            pulse.beat();
            the_loop.round(pulse).await;
        });
        match ended.await {
            Ok(()) => {
                pulse.completed();
                rests = true;
            }
            Err(Panicked(message)) => {
                let panics = pulse.panicked();
                tracing::error!(name = L::NAME, panics, message, "a background loop panicked");
                let pause = FIRST_PAUSE.saturating_mul(1 << panics.min(16).saturating_sub(1));
                pulse.clock.sleep_until(pulse.clock.after(pause.min(MAX_PAUSE))).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use alerts_domain::Timestamp;
    use tokio::sync::Notify;

    use super::*;
    use crate::clock::ManualClock;

    /// Panics in its first rounds; counts those that it completed.
    struct Fragile {
        panics_left: u32,
        completed: Arc<AtomicU32>,
    }

    impl BackgroundLoop for Fragile {
        const NAME: &'static str = "fragile";
        const SILENT_AFTER: Duration = Duration::from_secs(10);

        async fn round(&mut self, _: &Pulse) {
            if self.panics_left > 0 {
                self.panics_left -= 1;
                panic!("the {} last time", self.panics_left);
            }
            self.completed.fetch_add(1, Ordering::SeqCst);
        }

        async fn rest(&mut self) {
            std::future::pending::<()>().await;
        }
    }

    /// Hangs in a round until it is let go, with a beat for each nudge.
    struct Hanging {
        nudge: Arc<Notify>,
    }

    impl BackgroundLoop for Hanging {
        const NAME: &'static str = "hanging";
        const SILENT_AFTER: Duration = Duration::from_secs(10);

        async fn round(&mut self, pulse: &Pulse) {
            loop {
                self.nudge.notified().await;
                pulse.beat();
            }
        }

        async fn rest(&mut self) {}
    }

    /// Time passes, and everything that waits for it goes on.
    async fn pass(clock: &ManualClock, time: Duration) {
        clock.advance(time);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    fn supervisor() -> (Arc<ManualClock>, Supervisor) {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        (clock.clone(), Supervisor::new(clock))
    }

    #[tokio::test]
    async fn a_loop_that_panics_is_started_again_and_named_until_a_round_is_through() {
        let ((clock, supervisor), completed) = (supervisor(), Arc::new(AtomicU32::new(0)));
        supervisor.start(Fragile { panics_left: 2, completed: completed.clone() });
        pass(&clock, Duration::ZERO).await;
        let failing = |panics| vec![Trouble::Failing { name: "fragile", panics }];
        assert_eq!(supervisor.troubles(), failing(1));
        pass(&clock, FIRST_PAUSE).await;
        assert_eq!(supervisor.troubles(), failing(2));
        assert_eq!(completed.load(Ordering::SeqCst), 0);
        pass(&clock, FIRST_PAUSE * 2).await;
        assert_eq!((supervisor.troubles(), completed.load(Ordering::SeqCst)), (vec![], 1));
    }

    #[tokio::test]
    async fn a_loop_that_never_recovers_is_tried_ever_more_rarely() {
        let (clock, supervisor) = supervisor();
        supervisor.start(Fragile { panics_left: u32::MAX, completed: Arc::default() });
        pass(&clock, Duration::ZERO).await;
        for _ in 0..300 {
            pass(&clock, Duration::from_secs(1)).await;
        }
        let [Trouble::Failing { panics, .. }] = supervisor.troubles()[..] else { panic!() };
        assert_eq!(panics, 1 + 5 + (300 - 31) / 30, "after 1, 2, 4, 8, 16 s, then each 30 s");
    }

    #[tokio::test]
    async fn a_loop_that_hangs_is_named_until_it_shows_life() {
        let ((clock, supervisor), nudge) = (supervisor(), Arc::new(Notify::new()));
        supervisor.start(Hanging { nudge: nudge.clone() });
        pass(&clock, Duration::ZERO).await;
        clock.advance(Duration::from_secs(9));
        nudge.notify_one();
        pass(&clock, Duration::ZERO).await;
        pass(&clock, Duration::from_secs(9)).await;
        assert_eq!(supervisor.troubles(), [], "it has shown life in between");
        pass(&clock, Duration::from_secs(2)).await;
        let quiet = Duration::from_secs(11);
        assert_eq!(supervisor.troubles(), [Trouble::Silent { name: "hanging", quiet }]);
        nudge.notify_one();
        pass(&clock, Duration::ZERO).await;
        assert_eq!(supervisor.troubles(), []);
    }
}
