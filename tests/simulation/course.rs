//! How exchanges go on, by chance: smoothly, slowly, with a panic, or cut off in
//! the middle.

use std::time::Duration;

use crate::faults::Disturbances;
use crate::random::Random;

/// What happens in the middle of a host's tick, in or after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupt {
    /// It dies.
    Crash,
    /// It stands still, and goes on later.
    Stall,
    /// The database begins to refuse writes.
    Outage,
    /// After the exchange: it could not write something down, and waits.
    Waits,
}

/// How an exchange goes on once its request has left.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Course {
    Smooth,
    Interrupted(Interrupt),
    /// The transport panics.
    Panic,
    /// The name is not found for so long, or the target takes its time.
    Slow(Duration),
}

/// In so many of a hundred exchanges.
#[derive(Debug)]
pub(crate) struct Percents {
    crash: u64,
    stall: u64,
    outage: u64,
    panic: u64,
    slow: u64,
}

impl Percents {
    pub(crate) fn of(disturbances: &Disturbances) -> Self {
        let percent = |is_so, percent| if is_so { percent } else { 0 };
        Self {
            crash: percent(disturbances.crashes, 5),
            stall: percent(disturbances.stalls, 15),
            outage: percent(disturbances.outages, 8),
            panic: percent(disturbances.panics, 10),
            slow: percent(disturbances.slowness, 15),
        }
    }

    pub(crate) fn draw(&self, random: &mut Random) -> Course {
        let drawn = random.between(1, 100);
        let mut below = 0;
        let mut is = |percent| {
            below += percent;
            drawn <= below
        };
        if is(self.crash) {
            Course::Interrupted(Interrupt::Crash)
        } else if is(self.stall) {
            Course::Interrupted(Interrupt::Stall)
        } else if is(self.outage) {
            Course::Interrupted(Interrupt::Outage)
        } else if is(self.panic) {
            Course::Panic
        } else if is(self.slow) {
            Course::Slow(Duration::from_secs(random.pick(&[1, 5, 15])))
        } else {
            Course::Smooth
        }
    }
}
