//! Many seeds, several at once; those that fail are told, and one that hangs
//! ends the process.

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::database::Kind;
use crate::trace::Trace;

/// How many runs go on at once in one process: most of a run is waiting for the
/// threads of the store and of the sandbox.
const AT_ONCE: usize = 4;
/// A run takes a tenth of a second; one that takes this long waits for what never
/// comes, or for ever does the same.
pub(crate) const HANGS: Duration = Duration::from_secs(60);
/// How often it is looked whether one hangs.
const LOOK: Duration = Duration::from_millis(200);
/// How much of a failing run is shown.
const SHOWN: usize = 80;

/// A seed that runs now.
struct Running {
    seed: u64,
    trace: Trace,
    /// How often it was looked at. No clock: a machine that stood still is not a
    /// run that hangs.
    looks: u32,
}

/// Calls `run` for each of the seeds, and panics with those for which it did.
/// When one takes longer than `hangs`, it is told and the process ends: a thread
/// that is stuck cannot be stopped.
pub(crate) fn run_each(
    seeds: Range<u64>,
    database: Kind,
    hangs: Duration,
    run: impl Fn(u64, &Trace) + Sync,
) {
    let next = Mutex::new(seeds.clone());
    let running: Mutex<Vec<Running>> = Mutex::default();
    let failed: Mutex<Vec<u64>> = Mutex::default();
    let (working, ended) = channel::<()>();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let working = working.clone();
            let (next, running, failed, run) = (&next, &running, &failed, &run);
            scope.spawn(move || {
                let _working = working;
                loop {
                    let Some(seed) = locked(next).next() else { return };
                    let trace = Trace::default();
                    locked(running).push(Running { seed, trace: trace.clone(), looks: 0 });
                    if let Err(error) = caught(|| run(seed, &trace)) {
                        locked(failed).push(seed);
                        tell(seed, database, &trace, &error);
                    }
                    locked(running).retain(|other| other.seed != seed);
                }
            });
        }
        drop(working);
        watch(&running, database, hangs, &ended);
    });
    let failed = locked(&failed);
    assert!(failed.is_empty(), "{} of {} seeds failed: {failed:?}", failed.len(), seeds.count());
}

/// Ends when all threads have ended.
fn watch(running: &Mutex<Vec<Running>>, database: Kind, hangs: Duration, ended: &Receiver<()>) {
    while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let mut stuck: Vec<(u64, Trace)> = Vec::new();
        for running in locked(running).iter_mut() {
            running.looks += 1;
            if LOOK * running.looks > hangs {
                stuck.push((running.seed, running.trace.clone()));
            }
        }
        for (seed, trace) in &stuck {
            tell(*seed, database, trace, &format!("it hangs: no end after {hangs:?}"));
        }
        if !stuck.is_empty() {
            std::process::exit(101);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The words of its panic, if it does.
pub(crate) fn caught(run: impl FnOnce()) -> Result<(), String> {
    std::panic::catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => panic.downcast::<&str>().map_or("a panic".to_owned(), |t| t.to_string()),
        }
    })
}

#[expect(clippy::print_stderr, reason = "the seed and its last steps are for the one who looks")]
fn tell(seed: u64, database: Kind, trace: &Trace, error: &str) {
    let lines = trace.lines();
    let skipped = lines.len().saturating_sub(SHOWN);
    let shown = lines[skipped..].join("\n");
    eprintln!(
        "\nseed {seed} failed: {error}\nits last steps (of {}; doing, time in ms, what):\n{shown}\n\
         again: cargo xtask simulate --seed {seed}{}",
        lines.len(),
        database.option()
    );
}
