//! The workers: each job whose turn it is runs as a task of its own, which gives
//! its place back as soon as the target is free again.

use std::sync::Arc;

use alerts_domain::id::EndpointId;
use alerts_domain::tenant::TenantId;
use alerts_store::FinishOutcome;

use super::attempt::{Attempts, Tried};
use super::circuit::Health;
use super::dispatcher::Dispatcher;
use super::job::Job;
use super::limiters::Limiters;
use super::recording::Recorder;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::live::RateLimits;
use crate::panics::{Panicked, caught};

/// What starts jobs. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub(crate) struct Workers(Arc<WorkerNeeds>);

/// What workers need.
pub(crate) struct WorkerNeeds {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) catalog: Catalog,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) recorder: Recorder,
    pub(crate) limiters: Limiters,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    /// Nothing starts by itself: a tick takes one job after another.
    pub(crate) is_driven: bool,
}

/// Held while a job runs; gives its place in the lane back, also on a panic.
struct Slot {
    workers: Workers,
    tenant: TenantId,
    endpoint: EndpointId,
    health: Health,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let WorkerNeeds { dispatcher, clock, entropy, .. } = &*self.workers.0;
        dispatcher.finished(&self.tenant, self.endpoint, self.health, clock.now(), entropy.unit());
        self.workers.pump();
    }
}

impl Workers {
    pub(crate) fn new(needs: WorkerNeeds) -> Self {
        Self(Arc::new(needs))
    }

    /// Starts as much as may start.
    pub(crate) fn pump(&self) {
        if self.0.is_driven {
            return;
        }
        while let Some(job) = self.next_job() {
            let workers = self.clone();
            tokio::spawn(async move {
                let delivery = job.delivery.id;
                // Its lease is found among the strays, and given back.
                if let Err(Panicked(message)) = caught("worker", workers.run(job)).await {
                    tracing::error!(%delivery, message, "a worker panicked");
                }
            });
        }
        self.0.dispatcher.wake_for_parked();
    }

    /// Tries a delivery that [`Self::next_job`] gave out, and writes down what came of it.
    pub(crate) async fn run(&self, job: Job) -> FinishOutcome {
        let WorkerNeeds { dispatcher, attempts, recorder, limiters, clock, .. } = &*self.0;
        let mut slot = Slot {
            workers: self.clone(),
            tenant: job.delivery.tenant.clone(),
            endpoint: job.delivery.webhook_endpoint_id,
            health: Health::Unknown,
        };
        limiters.keep_slow(self.limits_of(&job)).await;
        let Tried { attempt, transition, is_blocked } = attempts.attempt(&job).await;
        if is_blocked {
            let waiting = dispatcher.block(slot.tenant.clone(), slot.endpoint);
            let waiting = waiting.into_iter().map(|job| (job, None)).collect();
            recorder.give_back_as_they_were(waiting).await;
        }
        let (finished, _hold) = job.ended(attempt, transition, clock.now());
        slot.health = Health::of(&finished);
        if slot.health == Health::Failing {
            recorder.trouble.target_failed(&finished);
        }
        // The target is free again; writing down what it said is not its time.
        drop(slot);
        recorder.record(finished).await
    }

    /// The job whose turn it is, if any may start now. It must be run.
    pub(crate) fn next_job(&self) -> Option<Job> {
        let now = self.0.clock.now();
        self.0.dispatcher.next(now, |job| self.limits_of(job))
    }

    /// The limits that bind a job as its tenant's catalog stands now; those it came
    /// with while that is not in memory.
    fn limits_of(&self, job: &Job) -> RateLimits {
        let delivery = &job.delivery;
        self.0.catalog.peek(&delivery.tenant).map_or(job.limits, |catalog| {
            catalog.limits(delivery.webhook_endpoint_id, delivery.alert_rule_id)
        })
    }
}
