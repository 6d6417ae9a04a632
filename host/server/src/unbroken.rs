//! Work that must not be left half done.
//!
//! A request's handler is dropped the moment its caller hangs up. Between the
//! commit and the hand-over to the workers, say, that would leave deliveries
//! that nobody works on. So what changes something goes on by itself when
//! nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// Changes that may go on without their callers. A client that sends and hangs up,
/// again and again, is held by nothing else.
const MOST_LEFT: usize = 1024;

/// All work of one host that must not be left half done.
#[derive(Debug, Default)]
pub(crate) struct Changes(TaskTracker);

impl Changes {
    /// Work that goes on by itself when it is dropped.
    pub(crate) fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Unbroken<T> {
        Unbroken::new(work, self.0.clone())
    }

    /// Whether no more should begin: too many callers have left theirs behind.
    pub(crate) fn are_too_many(&self) -> bool {
        self.0.len() >= MOST_LEFT
    }

    /// Ends once all that goes on without its caller is done.
    pub(crate) async fn done(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

/// Runs where it is awaited, without a task of its own in the usual case; when
/// it is dropped early, as a task.
pub(crate) struct Unbroken<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    tasks: TaskTracker,
}

impl<T: Send + 'static> Unbroken<T> {
    /// `tasks` knows of the work that goes on by itself.
    fn new(work: impl Future<Output = T> + Send + 'static, tasks: TaskTracker) -> Self {
        Self { work: Some(Box::pin(work.in_current_span())), tasks }
    }
}

impl<T: Send + 'static> Future for Unbroken<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Unbroken<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        // Work that panicked is over. Without a runtime the process is ending.
        if std::thread::panicking() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            self.tasks.spawn_on(async move { drop(work.await) }, &runtime);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::sync::{Notify, mpsc, oneshot};

    use super::*;

    #[tokio::test]
    async fn work_whose_caller_hangs_up_is_done_all_the_same() {
        let (go_on, gate) = oneshot::channel::<()>();
        let (done, mut is_done) = mpsc::unbounded_channel();
        let tasks = TaskTracker::new();
        let work = async move {
            let _ = gate.await;
            let _ = done.send(());
        };
        let waited = Unbroken::new(work, tasks.clone());
        assert!(tokio::time::timeout(Duration::from_millis(1), waited).await.is_err());
        let _ = go_on.send(());
        assert_eq!(is_done.recv().await, Some(()));
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test]
    async fn callers_who_leave_work_behind_can_leave_so_much() {
        let (changes, gate) = (Changes::default(), std::sync::Arc::new(Notify::new()));
        for _ in 0..MOST_LEFT {
            assert!(!changes.are_too_many());
            let gate = gate.clone();
            let mut work = changes.to_the_end(async move { gate.notified().await });
            assert!((&mut work).now_or_never().is_none());
        }
        assert!(changes.are_too_many());
        gate.notify_waiters();
        changes.done().await;
        assert!(!changes.are_too_many());
    }

    #[tokio::test]
    async fn work_that_is_awaited_needs_no_task() {
        let tasks = TaskTracker::new();
        assert_eq!(Unbroken::new(async { 7 }, tasks.clone()).await, 7);
        assert!(tasks.is_empty());
    }
}
