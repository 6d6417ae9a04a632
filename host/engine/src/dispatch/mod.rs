//! Dispatch: leased deliveries wait here for their turn and run as tasks.

mod keeper;
mod lanes;
mod pace;

use std::sync::{Mutex, MutexGuard, PoisonError};

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, Lease};
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;
use bytes::Bytes;
use tokio::sync::Notify;

use crate::engine::Engine;
use lanes::{Lanes, Limits, Work};

/// A delivery in this host's hands, with all that an attempt needs.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) delivery: Delivery,
    pub(crate) lease: Lease,
    pub(crate) event_body: Bytes,
    pub(crate) received_at: Timestamp,
}

impl Work for Job {
    fn tenant(&self) -> &TenantId {
        &self.delivery.tenant
    }

    fn endpoint(&self) -> EndpointId {
        self.delivery.webhook_endpoint_id
    }

    fn rule(&self) -> Option<RuleId> {
        self.delivery.alert_rule_id
    }
}

/// The lanes, and the time at which the keeper must look again.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    lanes: Mutex<Lanes<Job>>,
    max_in_flight: usize,
    wake_at: Mutex<Option<Timestamp>>,
    earlier: Notify,
    idle: Notify,
    closed: std::sync::atomic::AtomicBool,
}

impl Dispatcher {
    pub(crate) fn new(max_in_flight: usize) -> Self {
        Self {
            lanes: Mutex::default(),
            max_in_flight,
            wake_at: Mutex::default(),
            earlier: Notify::new(),
            idle: Notify::new(),
            closed: false.into(),
        }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes<Job>> {
        // The bookkeeping has no step that can panic half-way.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this endpoint's lane takes more.
    pub(crate) fn has_room(&self, endpoint: EndpointId) -> bool {
        !self.is_closed() && self.lanes().room(endpoint) > 0
    }

    /// Puts a job into its lane. [`Engine::pump`] starts it.
    pub(crate) fn push(&self, job: Job) {
        self.lanes().push(job);
    }

    /// Has the keeper look for due work at this time, or earlier.
    pub(crate) fn wake_at(&self, at: Timestamp) {
        let mut wake_at = self.wake_at.lock().unwrap_or_else(PoisonError::into_inner);
        if wake_at.is_none_or(|known| at < known) {
            *wake_at = Some(at);
            self.earlier.notify_one();
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Starts nothing more, and returns what waits once what runs has ended.
    pub(crate) async fn close(&self) -> Vec<Job> {
        self.closed.store(true, std::sync::atomic::Ordering::Release);
        loop {
            let ended = self.idle.notified();
            if self.lanes().in_flight() == 0 {
                break;
            }
            ended.await;
        }
        self.lanes().drain()
    }
}

/// Held while a job runs; gives its place in the lane back, also on a panic.
struct Slot {
    engine: Engine,
    tenant: TenantId,
    endpoint: EndpointId,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let dispatcher = self.engine.dispatcher();
        let (was_full, in_flight) = {
            let mut lanes = dispatcher.lanes();
            let was_full = lanes.room(self.endpoint) == 0;
            lanes.finished(&self.tenant, self.endpoint);
            (was_full, lanes.in_flight())
        };
        if was_full {
            // Work of this endpoint may be waiting in the database.
            dispatcher.wake_at(self.engine.clock().now());
        }
        if in_flight == 0 {
            dispatcher.idle.notify_waiters();
        }
        self.engine.pump();
    }
}

impl Engine {
    /// Starts as much as may start.
    pub(crate) fn pump(&self) {
        let dispatcher = self.dispatcher();
        while let Some(job) = self.next_job() {
            let slot = Slot {
                engine: self.clone(),
                tenant: job.delivery.tenant.clone(),
                endpoint: job.delivery.webhook_endpoint_id,
            };
            tokio::spawn(async move {
                let engine = slot.engine.clone();
                let finished = engine.attempt(job).await;
                // The target is free again; writing down what it said is not its time.
                drop(slot);
                engine.record(finished).await;
            });
        }
        if let Some(at) = dispatcher.lanes().next_parked() {
            dispatcher.wake_at(at);
        }
    }

    fn next_job(&self) -> Option<Job> {
        let dispatcher = self.dispatcher();
        let now = self.clock().now();
        let mut lanes = dispatcher.lanes();
        if dispatcher.is_closed() || lanes.in_flight() >= dispatcher.max_in_flight {
            return None;
        }
        lanes.next(now, |job| {
            let Some(catalog) = self.catalog().peek(&job.delivery.tenant) else {
                return Limits::default();
            };
            Limits {
                endpoint: catalog
                    .endpoint(job.delivery.webhook_endpoint_id)
                    .and_then(|endpoint| endpoint.stored().spec.rate_limit),
                rule: job
                    .delivery
                    .alert_rule_id
                    .and_then(|rule| catalog.rule(rule))
                    .and_then(|rule| rule.stored.spec.rate_limit),
            }
        })
    }
}
