//! Group commit: the writes of many callers go to the disk together.
//!
//! Owns the way to the task that commits (`group`), keeps that task running, and
//! knows how it fares.

mod group;
mod health;
mod operation;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use self::group::Groups;
use self::health::Health;
pub use self::health::WriterHealth;
use self::operation::{Answer, Operation, Work};
use crate::accept::StoredId;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::finished::{Ended, FinishOutcome};
use crate::ledger::Ledgers;
use crate::new_event::NewEvent;
use crate::pool::{Pool, Trust};

/// Operations that wait before callers do.
const QUEUE: usize = 4096;
/// Before the task is started again after a panic: one that comes back at once
/// must not fill the log.
const RESTART_PAUSE: Duration = Duration::from_millis(100);

/// The way to the task.
pub(crate) struct Writer {
    queue: std::sync::Mutex<Option<mpsc::Sender<Operation>>>,
    task: Mutex<Option<JoinHandle<()>>>,
    health: Arc<Health>,
}

impl Writer {
    pub(crate) fn start(dialect: Dialect, pool: Pool, trust: Trust, ledgers: Ledgers) -> Self {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        let health = Arc::new(Health::default());
        let kept = health.clone();
        let task = tokio::spawn(async move {
            loop {
                let (pool, trust, kept_too) = (pool.clone(), trust.clone(), kept.clone());
                let groups = Groups::new(dialect, pool, trust, ledgers.clone(), kept_too);
                // What the group in hand held is dropped with it, and so are its
                // callers' answers: to them its commit is in doubt.
                match AssertUnwindSafe(groups.run(&mut receiver)).catch_unwind().await {
                    Ok(()) => return,
                    Err(panic) => kept.panicked(&*panic),
                }
                tokio::time::sleep(RESTART_PAUSE).await;
            }
        });
        Self { queue: Some(sender).into(), task: Some(task).into(), health }
    }

    /// Writes what waits, and ends.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = self.task.lock().await.take() {
            // A task that panicked has nothing left to write.
            let _ = task.await;
        }
    }

    pub(crate) fn health(&self) -> WriterHealth {
        self.health.now()
    }

    pub(crate) async fn accept(&self, events: Vec<NewEvent>) -> Result<Vec<StoredId>, StoreError> {
        self.send(|answer| Work::Accept(events, answer)).await
    }

    pub(crate) async fn finish(&self, ended: Ended) -> Result<FinishOutcome, StoreError> {
        self.send(|answer| Work::Finish(ended.into(), answer)).await
    }

    /// A write that fails as a mistake of ours would.
    #[cfg(test)]
    pub(crate) async fn panic(&self) -> Result<(), StoreError> {
        self.send(Work::Panic).await
    }

    async fn send<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> Result<T, StoreError> {
        let closed = || StoreError::from(sqlx::Error::PoolClosed);
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (answer, answered) = oneshot::channel();
        let operation = Operation { since: Instant::now(), work: work(answer) };
        queue.ok_or_else(closed)?.send(operation).await.map_err(|_| closed())?;
        let lost = |_| StoreError::InDoubt(Arc::new(sqlx::Error::WorkerCrashed));
        answered.await.map_err(lost)?
    }
}
