//! The threads on which guest code runs, and the bounded queue before them.
//!
//! Plain threads rather than an async runtime's: a guest may compute for as
//! long as its deadline lets it, and nothing else may wait for that. Whose call
//! is next is decided in [`crate::queue`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use alerts_domain::tenant::TenantId;
use futures_channel::oneshot;

use crate::queue::{FairQueue, Full, QueueBounds};

type Job = Box<dyn FnOnce() + Send>;

/// How often a thread lets others run before it sleeps: on a busy host more work
/// comes in the meantime, and neither sleeping nor waking it costs anything.
const YIELDS: u32 = 4;
/// Threads beyond those that one tenant may keep busy: whoever comes next finds
/// one, however slow that tenant's calls are.
pub(crate) const SPARE_THREADS: usize = 1;

/// Why a job gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// A queue was full.
    Busy(Full),
    /// The job panicked: a fault of the host's own code.
    Panicked,
}

/// A fixed number of threads. Dropping it lets them finish what is queued.
pub(crate) struct Workers {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    filled: Condvar,
}

struct State {
    jobs: FairQueue<Job>,
    idle: usize,
    closed: bool,
}

impl Workers {
    /// Starts as many threads as one tenant may keep busy, and the spare ones.
    pub(crate) fn start(bounds: QueueBounds) -> std::io::Result<Self> {
        let state = Mutex::new(State { jobs: FairQueue::new(bounds), idle: 0, closed: false });
        let workers = Self { shared: Arc::new(Shared { state, filled: Condvar::new() }) };
        for index in 0..bounds.tenant_running + SPARE_THREADS {
            let shared = workers.shared.clone();
            thread::Builder::new().name(format!("sandbox-{index}")).spawn(move || shared.work())?;
        }
        Ok(workers)
    }

    /// Runs `job` on a thread when it is the tenant's turn, and skips it if nobody
    /// waits any more by then.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        tenant: &TenantId,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Undone> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            if !sender.is_canceled() {
                // The receiver may have gone meanwhile; then nobody wants it.
                let _ = sender.send(job());
            }
        });
        self.shared.push(tenant, job).map_err(Undone::Busy)?;
        receiver.await.map_err(|_| Undone::Panicked)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.filled.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, tenant: &TenantId, job: Job) -> Result<(), Full> {
        let mut state = self.lock();
        let may_start = state.jobs.push(tenant, job)?;
        let wakes = may_start && state.claim_sleeper();
        drop(state);
        // A thread that is at work looks for more by itself; waking is a system call.
        if wakes {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Runs jobs until the pool is gone and nothing is left to do.
    fn work(&self) {
        let mut ended = None;
        while let Some((tenant, job)) = self.next(ended.as_ref()) {
            // The thread outlives the job; its caller learns of it by the channel
            // that the job has dropped.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!(
                    %tenant,
                    "a sandbox call panicked; this is a bug in the host, please report it"
                );
            }
            ended = Some(tenant);
        }
    }

    /// The next job, once the one of the tenant `ended` is over; none when the pool
    /// is gone and no job may start.
    fn next(&self, ended: Option<&TenantId>) -> Option<(TenantId, Job)> {
        let mut yields = 0;
        let mut state = self.lock();
        let mut gave_a_turn = ended.is_some_and(|tenant| state.jobs.ended(tenant));
        loop {
            if let Some(taken) = state.jobs.take() {
                // There may be two things to do now, and this thread does one.
                if gave_a_turn && state.jobs.may_start() && state.claim_sleeper() {
                    drop(state);
                    self.filled.notify_one();
                }
                return Some(taken);
            }
            gave_a_turn = false;
            if state.closed {
                // What waits for its tenant's share is taken by who has that share.
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

impl State {
    /// Whether a thread sleeps that nobody has woken yet. It counts as woken then.
    fn claim_sleeper(&mut self) -> bool {
        let sleeps = self.idle > 0;
        self.idle -= usize::from(sleeps);
        sleeps
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::task::{Context, Waker};

    use super::*;

    fn workers(waiting: usize, tenant_waiting: usize, tenant_running: usize) -> Workers {
        Workers::start(QueueBounds { waiting, tenant_waiting, tenant_running }).unwrap()
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    /// A job that has begun, and what lets it end.
    async fn begun<'a>(
        workers: &'a Workers,
        tenant: &'a TenantId,
    ) -> (impl Future<Output = Result<(), Undone>>, mpsc::Sender<()>) {
        let (begin, has_begun) = oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let mut job = Box::pin(workers.run(tenant, move || {
            begin.send(()).unwrap();
            // Ended by a message, or by the end of the test.
            let _ = ended.recv();
        }));
        tokio::select! {
            _ = &mut job => panic!("it has not been told to end"),
            begun = has_begun => begun.unwrap(),
        }
        (job, end)
    }

    #[tokio::test]
    async fn a_panicking_job_does_not_take_its_thread_or_its_tenants_share_along() {
        let (workers, ada) = (workers(8, 8, 1), tenant("ada"));
        for _ in 0..4 {
            let panicked = workers.run(&ada, || -> u32 { panic!("on purpose") }).await;
            assert_eq!(panicked, Err(Undone::Panicked));
        }
        assert_eq!(workers.run(&ada, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn a_tenant_that_keeps_all_its_threads_busy_leaves_one_for_the_others() {
        let (workers, ada, bob) = (workers(64, 8, 2), tenant("ada"), tenant("bob"));
        let (first, end_first) = begun(&workers, &ada).await;
        let (second, _end_second) = begun(&workers, &ada).await;
        let mut third = Box::pin(workers.run(&ada, || ()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(third.as_mut().poll(&mut context).is_pending());
        // None of hers ends, and all of his are done.
        for _ in 0..100 {
            assert_eq!(workers.run(&bob, || 7).await, Ok(7));
        }
        assert!(third.as_mut().poll(&mut context).is_pending(), "beyond her share");
        end_first.send(()).unwrap();
        first.await.unwrap();
        third.await.unwrap();
        drop(second);
    }

    #[tokio::test]
    async fn a_full_queue_is_its_tenants_alone_and_a_forgotten_job_is_skipped() {
        let (workers, ada, bob) = (workers(2, 1, 1), tenant("ada"), tenant("bob"));
        let mut context = Context::from_waker(Waker::noop());
        let (first, end_first) = begun(&workers, &ada).await;
        let runs = Arc::new(AtomicU32::new(0));
        let count = runs.clone();
        let mut forgotten =
            Box::pin(workers.run(&ada, move || count.fetch_add(1, Ordering::SeqCst)));
        assert!(forgotten.as_mut().poll(&mut context).is_pending());
        assert_eq!(workers.run(&ada, || ()).await, Err(Undone::Busy(Full::Tenant)));
        assert_eq!(workers.run(&bob, || 7).await, Ok(7), "his is another queue");

        drop(forgotten);
        end_first.send(()).unwrap();
        first.await.unwrap();
        // The thread may not have come to the forgotten job yet, which fills the queue.
        while workers.run(&ada, || ()).await == Err(Undone::Busy(Full::Tenant)) {
            tokio::task::yield_now().await;
        }
        assert_eq!(runs.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn what_is_queued_when_the_pool_goes_is_done() {
        let (workers, ada) = (workers(8, 8, 1), tenant("ada"));
        let (first, end_first) = begun(&workers, &ada).await;
        let (done, is_done) = oneshot::channel();
        let job = Box::new(move || done.send(()).unwrap());
        workers.shared.push(&ada, job).unwrap();
        drop(first);
        drop(workers);
        end_first.send(()).unwrap();
        is_done.await.unwrap();
    }
}
