//! The task that commits: it takes what waits, writes it in one transaction, and
//! answers each caller after the commit. It never waits for more when there is
//! something to write: while one group is on its way to the disk, the next gathers.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use sqlx::Connection as _;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::health::{Health, message};
use super::operation::{Operation, Work};
use crate::accept::{self, StoredId};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::finish::{self, Leases};
use crate::finished::FinishOutcome;
use crate::gone::{self, GoneCounts};
use crate::ledger::{Ledger, Ledgers};
use crate::pool::{Held, Pool, Trust};
use crate::tries::Tries;

/// Most operations in one group. Callers gain nothing beyond 64 rows to a commit,
/// but each event that they bring is soon followed by the result of its delivery.
const GROUP: usize = 256;
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

pub(super) struct Groups {
    dialect: Dialect,
    pool: Pool,
    trust: Trust,
    /// The connection of the last group, and since when.
    kept: Option<(Held, Instant)>,
    gone: GoneCounts,
    ledgers: Ledgers,
    health: Arc<Health>,
}

/// What a group wrote, in the order of its operations.
#[derive(Default)]
struct Written {
    stored: VecDeque<Vec<StoredId>>,
    finished: VecDeque<FinishOutcome>,
}

impl Groups {
    pub(super) fn new(
        dialect: Dialect,
        pool: Pool,
        trust: Trust,
        ledgers: Ledgers,
        health: Arc<Health>,
    ) -> Self {
        Self { dialect, pool, trust, kept: None, gone: GoneCounts::default(), ledgers, health }
    }

    /// Ends when there will be no more operations.
    pub(super) async fn run(mut self, receiver: &mut mpsc::Receiver<Operation>) {
        let mut group = Vec::with_capacity(GROUP);
        let (mut last, mut size) = (Instant::now(), 0);
        while self.receive(&mut group, receiver).await {
            self.health.began(group.first().map(|operation| operation.since));
            gather(&mut group, receiver, last + FINISH_PAUSE, size).await;
            size = group.len();
            if !self.write(std::mem::take(&mut group)).await {
                // What waits by now would meet the same, each group after as long.
                while let Ok(operation) = receiver.try_recv() {
                    refuse(operation, sqlx::Error::PoolTimedOut.into());
                }
            }
            self.health.ended();
            last = Instant::now();
        }
    }

    /// Waits for the next operations. False when there will be none any more.
    async fn receive(
        &mut self,
        group: &mut Vec<Operation>,
        receiver: &mut mpsc::Receiver<Operation>,
    ) -> bool {
        if self.kept.is_some() {
            let more = receiver.recv_many(group, GROUP);
            if let Ok(received) = timeout(KEPT_IDLE, more).await {
                return received > 0;
            }
            self.kept = None;
        }
        receiver.recv_many(group, GROUP).await > 0
    }

    /// Writes a group and answers its callers. A part that cannot be committed is
    /// halved until what is wrong stands alone. False when there is no database.
    async fn write(&mut self, group: Vec<Operation>) -> bool {
        // What is still to be committed, the first part last.
        let mut parts = vec![group];
        while let Some(mut part) = parts.pop() {
            match self.commit(&part).await {
                Ok(Some(written)) => {
                    self.health.committed();
                    answer(part, written);
                }
                Ok(None) => parts.extend(halves(part)),
                Err(error) => {
                    self.health.failed(&error);
                    if part.len() > 1 && !error.is_unavailable() {
                        parts.extend(halves(part));
                        continue;
                    }
                    let is_gone = matches!(error, StoreError::Unavailable(_));
                    if is_gone {
                        part.extend(parts.drain(..).flatten());
                    }
                    part.into_iter().for_each(|operation| refuse(operation, error.clone()));
                    if is_gone {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Commits all of it, or, with an error, nothing. Where another transaction was
    /// in the way, or a lease is lost, it tries again by itself. None when leases are
    /// lost even between the look at them and the write, which a smaller part may
    /// escape; one operation alone never comes to that.
    async fn commit(&mut self, part: &[Operation]) -> Result<Option<Written>, StoreError> {
        let (mut tries, mut leases) = (Tries::default(), Leases::Assumed);
        loop {
            match self.commit_once(part, leases).await {
                Ok(None) if leases == Leases::Assumed => leases = Leases::Checked,
                Ok(written) => return Ok(written),
                Err(error) if tries.again(&error).await => {}
                Err(error) => {
                    if error.is_read_only() {
                        self.trust.begin_anew();
                    }
                    return Err(error);
                }
            }
        }
    }

    /// None when some of the leases are lost that were assumed to be held.
    async fn commit_once(
        &mut self,
        part: &[Operation],
        leases: Leases,
    ) -> Result<Option<Written>, StoreError> {
        let (mut connection, since) = match self.kept.take() {
            Some(kept) => kept,
            None => (self.pool.acquire().await?, Instant::now()),
        };
        let is_committing = AtomicBool::new(false);
        let deadline = self.dialect.deadline();
        let mut ledger = self.ledgers.begin();
        let work = commit_on(
            self.dialect,
            &mut connection,
            part,
            leases,
            &mut self.gone,
            &mut ledger,
            &is_committing,
        );
        let ended = timeout(deadline, AssertUnwindSafe(work).catch_unwind()).await;
        let is_committing = is_committing.into_inner();
        let Ok(ended) = ended else {
            let lost = connection.lose(deadline);
            return Err(if is_committing { StoreError::of_commit(lost) } else { lost.into() });
        };
        let written = ended.unwrap_or_else(|panic| {
            self.gone = GoneCounts::default();
            let detail = message(&*panic);
            tracing::error!(detail, "writing a group panicked");
            metrics::counter!("alerts_writer_panics_total").increment(1);
            Err(match is_committing {
                true => StoreError::of_commit(sqlx::Error::WorkerCrashed),
                false => StoreError::Panicked(detail.into()),
            })
        });
        if matches!(written, Ok(Some(_))) {
            ledger.tell(self.dialect);
        }
        if written.is_err() {
            // Whatever state it is in, the next group has nothing to do with it.
            connection.give_up();
        } else if since.elapsed() < KEPT_BUSY {
            self.kept = Some((connection, since));
        }
        written
    }
}

/// The second half first, as the parts that are still to be committed are kept.
fn halves(mut part: Vec<Operation>) -> [Vec<Operation>; 2] {
    let second = part.split_off(part.len() / 2);
    [second, part]
}

/// Takes more results until then, unless a caller waits for something. Then it
/// goes on at once, or, where the last group was large, after the moment in
/// which the callers of that one come back with more.
async fn gather(
    group: &mut Vec<Operation>,
    receiver: &mut mpsc::Receiver<Operation>,
    until: Instant,
    last_size: usize,
) {
    let waited_for = |operation: &Operation| !matches!(operation.work, Work::Finish(..));
    let mut is_waited_for = group.iter().any(waited_for);
    let is_busy = last_size >= BUSY;
    let soon = Instant::now() + BUSY_PAUSE;
    let pause = tokio::time::sleep_until(if is_waited_for { soon } else { until }.into());
    tokio::pin!(pause);
    while group.len() < GROUP && (!is_waited_for || (is_busy && group.len() < last_size)) {
        tokio::select! {
            biased;
            Some(operation) = receiver.recv() => {
                if !is_waited_for && waited_for(&operation) {
                    is_waited_for = true;
                    let soon = (Instant::now() + BUSY_PAUSE).min(until.max(soon));
                    pause.as_mut().reset(soon.into());
                }
                group.push(operation);
            }
            () = &mut pause => break,
        }
    }
    // And what has come in the same moment.
    while group.len() < GROUP
        && let Ok(operation) = receiver.try_recv()
    {
        group.push(operation);
    }
}

async fn commit_on(
    dialect: Dialect,
    connection: &mut Held,
    part: &[Operation],
    leases: Leases,
    gone: &mut GoneCounts,
    ledger: &mut Ledger,
    is_committing: &AtomicBool,
) -> Result<Option<Written>, StoreError> {
    let mut transaction = connection.begin_with(dialect.begin()).await?;
    let (mut accepts, mut finishes) = (Vec::new(), Vec::new());
    for operation in part {
        match &operation.work {
            Work::Accept(events, _) => accepts.push(events.as_slice()),
            Work::Finish(ended, _) => finishes.push(ended.as_ref()),
            #[cfg(test)]
            Work::Panic(_) => panic!("a mistake of ours"),
        }
    }
    // In the order in which everything takes its locks: tenants, rules, deliveries,
    // events, memories of rules.
    gone::lock_tenants(&mut transaction, &finishes).await?;
    let finished = finish::write(&mut transaction, &finishes, leases, gone, ledger).await?;
    let Some(finished) = finished else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let stored = accept::write(&mut transaction, &accepts, ledger).await?;
    ledger.write(&mut transaction).await?;
    is_committing.store(true, Ordering::Relaxed);
    transaction.commit().await.map_err(StoreError::of_commit)?;
    metrics::histogram!("alerts_commit_operations").record(part.len() as f64);
    Ok(Some(Written { stored: stored.into(), finished: finished.into() }))
}

fn answer(part: Vec<Operation>, mut written: Written) {
    // A caller that has gone away wants no answer; its write stands.
    for operation in part {
        match operation.work {
            Work::Accept(_, answer) => {
                let stored = written.stored.pop_front().unwrap_or_default();
                let _ = answer.send(Ok(stored));
            }
            Work::Finish(_, answer) => {
                let outcome = written.finished.pop_front().unwrap_or(FinishOutcome::LeaseLost);
                let _ = answer.send(Ok(outcome));
            }
            #[cfg(test)]
            Work::Panic(answer) => drop(answer.send(Ok(()))),
        }
    }
}

fn refuse(operation: Operation, error: StoreError) {
    match operation.work {
        Work::Accept(_, answer) => drop(answer.send(Err(error))),
        Work::Finish(_, answer) => drop(answer.send(Err(error))),
        #[cfg(test)]
        Work::Panic(answer) => drop(answer.send(Err(error))),
    }
}
