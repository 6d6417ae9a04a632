//! Group commit: the writes of many callers go to the disk together.
//!
//! One task takes what waits, writes it in one transaction, and answers each
//! caller after the commit. It never waits for more when there is something to
//! write: while one group is on its way to the disk, the next one gathers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, Connection as _};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::accept::{self, NewEvent, StoredId};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::finish::{self, Ended, FinishOutcome};
use crate::gone::GoneCounts;

/// Most operations in one group. Callers gain nothing beyond 64 rows to a commit,
/// but each event that they bring is soon followed by the result of its delivery.
const GROUP: usize = 256;
/// Operations that wait before callers do.
const QUEUE: usize = 4096;
/// Between two results that nobody waits for, when nothing else is written: lets
/// the results of a burst share a commit. A result that a crash takes is found
/// again by its lease, and its alert sent again: it should not wait for long.
const FINISH_PAUSE: Duration = Duration::from_millis(10);

/// A group of this size shows that many callers are at it.
const BUSY: usize = 16;
/// How long they are waited for.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

/// How long the connection is kept for the next group: giving it back to the pool
/// and taking it again costs as much as a third of a commit. On SQLite it is the
/// only one that writes, so others must get their turn soon.
const KEPT_IDLE: Duration = Duration::from_millis(2);
const KEPT_BUSY: Duration = Duration::from_millis(20);

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

enum Operation {
    Accept(Vec<NewEvent>, Answer<Vec<StoredId>>),
    Finish(Box<Ended>, Answer<FinishOutcome>),
}

/// The way to the task.
pub(crate) struct Writer {
    queue: std::sync::Mutex<Option<mpsc::Sender<Operation>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(dialect: Dialect, pool: AnyPool) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let task = tokio::spawn(
            Groups { dialect, pool, kept: None, receiver, gone: GoneCounts::default() }.run(),
        );
        Self { queue: Some(sender).into(), task: Some(task).into() }
    }

    /// Writes what waits, and ends.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(task) = self.task.lock().await.take() {
            // A task that panicked has nothing left to write.
            let _ = task.await;
        }
    }

    pub(crate) async fn accept(&self, events: Vec<NewEvent>) -> Result<Vec<StoredId>, StoreError> {
        self.send(|answer| Operation::Accept(events, answer)).await
    }

    pub(crate) async fn finish(&self, ended: Ended) -> Result<FinishOutcome, StoreError> {
        self.send(|answer| Operation::Finish(ended.into(), answer)).await
    }

    async fn send<T>(
        &self,
        operation: impl FnOnce(Answer<T>) -> Operation,
    ) -> Result<T, StoreError> {
        let closed = || StoreError::from(sqlx::Error::PoolClosed);
        let queue = self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let (answer, answered) = oneshot::channel();
        queue.ok_or_else(closed)?.send(operation(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

struct Groups {
    dialect: Dialect,
    pool: AnyPool,
    /// The connection of the last group, and since when.
    kept: Option<(PoolConnection<Any>, Instant)>,
    receiver: mpsc::Receiver<Operation>,
    gone: GoneCounts,
}

/// What a group wrote, in the order of its operations.
#[derive(Default)]
struct Written {
    stored: VecDeque<Vec<StoredId>>,
    finished: VecDeque<FinishOutcome>,
}

impl Groups {
    async fn run(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        let (mut last, mut size) = (Instant::now(), 0);
        while self.receive(&mut group).await {
            self.gather(&mut group, last + FINISH_PAUSE, size).await;
            size = group.len();
            self.write(&mut group).await;
            last = Instant::now();
        }
    }

    /// Waits for the next operations. False when there will be none any more.
    async fn receive(&mut self, group: &mut Vec<Operation>) -> bool {
        if self.kept.is_some() {
            let more = self.receiver.recv_many(group, GROUP);
            if let Ok(received) = tokio::time::timeout(KEPT_IDLE, more).await {
                return received > 0;
            }
            self.kept = None;
        }
        self.receiver.recv_many(group, GROUP).await > 0
    }

    /// Takes more results until then, unless a caller waits for something. Then it
    /// goes on at once, or, where the last group was large, after the moment in
    /// which the callers of that one come back with more.
    async fn gather(&mut self, group: &mut Vec<Operation>, until: Instant, last_size: usize) {
        let waited_for = |operation: &Operation| matches!(operation, Operation::Accept(..));
        let mut is_waited_for = group.iter().any(waited_for);
        let is_busy = last_size >= BUSY;
        let soon = Instant::now() + BUSY_PAUSE;
        let pause = tokio::time::sleep_until(if is_waited_for { soon } else { until }.into());
        tokio::pin!(pause);
        while group.len() < GROUP && (!is_waited_for || (is_busy && group.len() < last_size)) {
            tokio::select! {
                biased;
                Some(operation) = self.receiver.recv() => {
                    if !is_waited_for && waited_for(&operation) {
                        is_waited_for = true;
                        pause.as_mut().reset((Instant::now() + BUSY_PAUSE).min(until.max(soon)).into());
                    }
                    group.push(operation);
                }
                () = &mut pause => break,
            }
        }
        // And what has come in the same moment.
        while group.len() < GROUP
            && let Ok(operation) = self.receiver.try_recv()
        {
            group.push(operation);
        }
    }

    /// Writes a group and answers its callers.
    async fn write(&mut self, group: &mut Vec<Operation>) {
        match self.commit(group).await {
            Ok(Some(written)) => answer(group.drain(..), written),
            Err(error) if group.len() == 1 || error.is_unavailable() => {
                group.drain(..).for_each(|operation| refuse(operation, error.clone()));
            }
            // A bad row or a lost lease must not cost the others theirs: each on its own.
            Ok(None) | Err(_) => {
                for operation in group.drain(..) {
                    let alone = [operation];
                    let written = self.commit(&alone).await;
                    let [operation] = alone;
                    match written {
                        Ok(written) => answer([operation], written.unwrap_or_default()),
                        Err(error) => refuse(operation, error),
                    }
                }
            }
        }
    }

    /// All of it, or, with an error or none, nothing.
    async fn commit(&mut self, group: &[Operation]) -> Result<Option<Written>, StoreError> {
        let (mut connection, since) = match self.kept.take() {
            Some(kept) => kept,
            None => (self.pool.acquire().await?, Instant::now()),
        };
        let written = self.commit_on(&mut connection, group).await;
        if written.is_err() {
            // Whatever state it is in, the next group has nothing to do with it.
            connection.close_on_drop();
        } else if since.elapsed() < KEPT_BUSY {
            self.kept = Some((connection, since));
        }
        written
    }

    async fn commit_on(
        &mut self,
        connection: &mut PoolConnection<Any>,
        group: &[Operation],
    ) -> Result<Option<Written>, StoreError> {
        let mut transaction = connection.begin_with(self.dialect.begin()).await?;
        let (mut accepts, mut finishes) = (Vec::new(), Vec::new());
        for operation in group {
            match operation {
                Operation::Accept(events, _) => accepts.push(events.as_slice()),
                Operation::Finish(ended, _) => finishes.push(ended.as_ref()),
            }
        }
        let stored = accept::write(&mut transaction, &accepts).await?;
        let finished = finish::write(&mut transaction, &finishes, &mut self.gone).await?;
        let Some(finished) = finished else {
            transaction.rollback().await?;
            return Ok(None);
        };
        transaction.commit().await.map_err(StoreError::of_commit)?;
        metrics::histogram!("alerts_commit_operations").record(group.len() as f64);
        Ok(Some(Written { stored: stored.into(), finished: finished.into() }))
    }
}

fn answer(group: impl IntoIterator<Item = Operation>, mut written: Written) {
    // A caller that has gone away wants no answer; its write stands.
    for operation in group {
        match operation {
            Operation::Accept(_, answer) => {
                let stored = written.stored.pop_front().unwrap_or_default();
                let _ = answer.send(Ok(stored));
            }
            Operation::Finish(_, answer) => {
                let outcome = written.finished.pop_front().unwrap_or(FinishOutcome::LeaseLost);
                let _ = answer.send(Ok(outcome));
            }
        }
    }
}

fn refuse(operation: Operation, error: StoreError) {
    match operation {
        Operation::Accept(_, answer) => drop(answer.send(Err(error))),
        Operation::Finish(_, answer) => drop(answer.send(Err(error))),
    }
}
