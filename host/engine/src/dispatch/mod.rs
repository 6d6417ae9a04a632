//! Dispatch: leased deliveries wait here for their turn and run as tasks.

mod circuit;
mod keeper;
mod lane;
mod lanes;
mod pace;

use std::sync::{Mutex, MutexGuard, PoisonError};

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Attempt, Delivery, Lease, Transition};
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;
use alerts_store::{FinishOutcome, Finished};
use bytes::Bytes;
use tokio::sync::Notify;

use crate::catalog::{LiveEndpoint, LiveRule, TenantCatalog};
use crate::engine::{Engine, EngineConfig};
use lanes::{Bounds, Ended, Lanes, Limits, Work};

pub use circuit::Circuit;
pub(crate) use circuit::Health;

/// What a waiting job takes in memory besides its event's body, about.
const JOB_BYTES: usize = 1024;

/// A delivery in this host's hands, with all that an attempt needs.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) delivery: Delivery,
    pub(crate) lease: Lease,
    pub(crate) event_body: Bytes,
    pub(crate) received_at: Timestamp,
}

impl Job {
    /// How it ended.
    pub(crate) fn ended(
        self,
        attempt: Option<Attempt>,
        transition: Transition,
        now: Timestamp,
    ) -> Finished {
        Finished {
            id: self.delivery.id,
            tenant: self.delivery.tenant,
            webhook_endpoint_id: self.delivery.webhook_endpoint_id,
            alert_rule_id: self.delivery.alert_rule_id,
            lease: self.lease,
            attempt,
            transition,
            now,
        }
    }
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

    fn bytes(&self) -> usize {
        self.event_body.len() + JOB_BYTES
    }
}

/// The lanes, and the time at which the keeper must look again.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    lanes: Mutex<Lanes<Job>>,
    tenant_rate: Option<RateLimit>,
    wake_at: Mutex<Option<Timestamp>>,
    earlier: Notify,
    idle: Notify,
    closed: std::sync::atomic::AtomicBool,
}

impl Dispatcher {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        let bounds = Bounds { in_flight: config.max_in_flight, rate: config.rate_limit };
        Self {
            lanes: Mutex::new(Lanes::new(bounds)),
            tenant_rate: config.tenant_rate_limit,
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

    /// Whether this endpoint's lane takes one more fresh delivery.
    pub(crate) fn has_room(&self, endpoint: EndpointId, now: Timestamp) -> bool {
        !self.is_closed() && self.lanes().has_room(endpoint, now)
    }

    /// Puts a fresh delivery's job into its lane. [`Engine::pump`] starts it.
    pub(crate) fn push(&self, job: Job) {
        self.lanes().push(job, true);
    }

    /// A delivery that is due was stored for whoever has room.
    pub(crate) fn left_in_store(&self, endpoint: EndpointId, now: Timestamp) {
        if self.lanes().left_in_store(endpoint) {
            self.wake_at(now);
        }
    }

    /// Has the keeper look for due work at this time, or earlier.
    pub(crate) fn wake_at(&self, at: Timestamp) {
        let mut wake_at = self.wake_at.lock().unwrap_or_else(PoisonError::into_inner);
        if wake_at.is_none_or(|known| at < known) {
            *wake_at = Some(at);
            self.earlier.notify_one();
        }
    }

    /// Shows how many circuits are not closed.
    fn tell_circuits(&self) {
        metrics::gauge!("alerts_endpoint_circuits_open").set(self.lanes().open_circuits() as f64);
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
    health: Health,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Self { engine, tenant, endpoint, health } = self;
        let dispatcher = engine.dispatcher();
        let (now, jitter) = (engine.clock().now(), engine.entropy().unit());
        let (ended, in_flight) = {
            let mut lanes = dispatcher.lanes();
            let ended = lanes.finished(tenant, *endpoint, *health, now, jitter);
            (ended, lanes.in_flight())
        };
        let Ended { should_claim, circuit_changed } = ended;
        if circuit_changed {
            dispatcher.tell_circuits();
        }
        if should_claim {
            dispatcher.wake_at(now);
        }
        if in_flight == 0 {
            dispatcher.idle.notify_waiters();
        }
        engine.pump();
    }
}

impl Engine {
    /// Whether alerts are sent to this endpoint now, as this host sees it.
    pub fn circuit(&self, endpoint: EndpointId) -> Circuit {
        self.dispatcher().lanes().circuit(endpoint)
    }

    /// Starts as much as may start.
    pub(crate) fn pump(&self) {
        if self.is_driven() {
            return;
        }
        let dispatcher = self.dispatcher();
        while let Some(job) = self.next_job() {
            tokio::spawn(self.clone().run(job));
        }
        if let Some(at) = dispatcher.lanes().next_parked() {
            dispatcher.wake_at(at);
        }
    }

    /// Tries a delivery that [`Self::next_job`] gave out, and writes down what came of it.
    pub(crate) async fn run(self, job: Job) -> FinishOutcome {
        let mut slot = Slot {
            engine: self.clone(),
            tenant: job.delivery.tenant.clone(),
            endpoint: job.delivery.webhook_endpoint_id,
            health: Health::Unknown,
        };
        let finished = self.attempt(job).await;
        slot.health = Health::of(&finished);
        // The target is free again; writing down what it said is not its time.
        drop(slot);
        self.record(finished).await
    }

    /// The job whose turn it is, if any may start now. It must be run.
    pub(crate) fn next_job(&self) -> Option<Job> {
        let dispatcher = self.dispatcher();
        let now = self.clock().now();
        let mut lanes = dispatcher.lanes();
        if dispatcher.is_closed() {
            return None;
        }
        lanes.next(now, |job| self.limits_of(job))
    }

    /// The limits that bind a job as its tenant's catalog stands now.
    fn limits_of(&self, job: &Job) -> Limits {
        let Some(catalog) = self.catalog().peek(&job.delivery.tenant) else {
            return Limits { tenant: self.dispatcher().tenant_rate, ..Limits::default() };
        };
        let endpoint = catalog.endpoint(job.delivery.webhook_endpoint_id);
        let rule = job.delivery.alert_rule_id.and_then(|rule| catalog.rule(rule));
        self.limits_in(&catalog, endpoint.map(AsRef::as_ref), rule.map(AsRef::as_ref))
    }

    fn limits_in(
        &self,
        catalog: &TenantCatalog,
        endpoint: Option<&LiveEndpoint>,
        rule: Option<&LiveRule>,
    ) -> Limits {
        Limits {
            tenant: catalog.mark().rate_limit.or(self.dispatcher().tenant_rate),
            endpoint: endpoint.and_then(|endpoint| endpoint.stored().spec.rate_limit),
            rule: rule.and_then(|rule| rule.stored.spec.rate_limit),
        }
    }

    /// Whether what a rule sends now would have to wait for a rate limit.
    pub(crate) fn waits_for_limit(
        &self,
        tenant: &TenantId,
        catalog: &TenantCatalog,
        endpoint: &LiveEndpoint,
        rule: &LiveRule,
        now: Timestamp,
    ) -> bool {
        let limits = self.limits_in(catalog, Some(endpoint), Some(rule));
        let (endpoint, rule) = (endpoint.stored().id, rule.stored.id);
        self.dispatcher().lanes().waits_for_limit(tenant, endpoint, rule, limits, now)
    }
}
