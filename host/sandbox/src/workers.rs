//! The threads on which guest code runs, and the bounded queue before them.
//!
//! Plain threads rather than an async runtime's: a guest may compute for as
//! long as its deadline lets it, and nothing else may wait for that.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use futures_channel::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// How often a thread lets others run before it sleeps: on a busy host more work
/// comes in the meantime, and neither sleeping nor waking it costs anything.
const YIELDS: u32 = 4;

/// Why a job gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// The queue was full.
    Busy,
    /// The job panicked: a fault of the host's own code.
    Panicked,
}

/// A fixed number of threads. Dropping it lets them finish what is queued.
pub(crate) struct Workers {
    queue: Arc<Queue>,
    capacity: usize,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

impl Workers {
    pub(crate) fn start(threads: usize, capacity: usize) -> std::io::Result<Self> {
        let workers = Self { queue: Arc::default(), capacity };
        for index in 0..threads {
            let queue = workers.queue.clone();
            thread::Builder::new().name(format!("sandbox-{index}")).spawn(move || queue.work())?;
        }
        Ok(workers)
    }

    /// Runs `job` on a thread, and skips it if nobody waits any more by then.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Undone> {
        let (sender, receiver) = oneshot::channel();
        self.queue.push(
            self.capacity,
            Box::new(move || {
                if !sender.is_canceled() {
                    // The receiver may have gone meanwhile; then nobody wants it.
                    let _ = sender.send(job());
                }
            }),
        )?;
        receiver.await.map_err(|_| Undone::Panicked)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.filled.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, capacity: usize, job: Job) -> Result<(), Undone> {
        let mut state = self.lock();
        if state.jobs.len() >= capacity {
            return Err(Undone::Busy);
        }
        state.jobs.push_back(job);
        let sleeper = state.idle > 0;
        if sleeper {
            // Woken already, as far as others who push are concerned.
            state.idle -= 1;
        }
        drop(state);
        // A thread that is at work looks for more by itself; waking is a system call.
        if sleeper {
            self.filled.notify_one();
        }
        Ok(())
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!(
                    "a sandbox call panicked; this is a bug in the host, please report it"
                );
            }
        }
    }

    /// The oldest job; none when the pool is gone and the queue is empty.
    fn next(&self) -> Option<Job> {
        let mut yields = 0;
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            if yields < YIELDS {
                yields += 1;
                drop(state);
                thread::yield_now();
                state = self.lock();
                continue;
            }
            yields = 0;
            state.idle += 1;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_panicking_job_does_not_take_its_thread_along() {
        let workers = Workers::start(1, 8).unwrap();
        let panicked = block_on(workers.run(|| -> u32 { panic!("on purpose") }));
        assert_eq!(panicked, Err(Undone::Panicked));
        assert_eq!(block_on(workers.run(|| 7)), Ok(7));
    }

    #[test]
    fn a_full_queue_is_busy_and_a_forgotten_job_is_skipped() {
        let workers = Workers::start(1, 1).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let (started, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let mut first = Box::pin(workers.run(move || {
            started.send(()).unwrap();
            released.recv().unwrap();
        }));
        assert!(first.as_mut().poll(&mut context).is_pending());
        has_started.recv().unwrap();

        let runs = Arc::new(AtomicU32::new(0));
        let count = runs.clone();
        let mut forgotten = Box::pin(workers.run(move || count.fetch_add(1, Ordering::SeqCst)));
        assert!(forgotten.as_mut().poll(&mut context).is_pending());
        let mut refused = Box::pin(workers.run(|| ()));
        assert_eq!(refused.as_mut().poll(&mut context), Poll::Ready(Err(Undone::Busy)));

        drop(forgotten);
        release.send(()).unwrap();
        block_on(first).unwrap();
        // The thread may not have come to the forgotten job yet, which fills the queue.
        while block_on(workers.run(|| ())) == Err(Undone::Busy) {}
        assert_eq!(runs.load(Ordering::SeqCst), 0);
    }
}
