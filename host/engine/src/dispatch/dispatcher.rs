//! The deliveries that this host holds, and the scheduler over them, shared by all
//! that bring work, start it and end it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alerts_domain::Timestamp;
use alerts_domain::delivery::{Delivery, Lease};
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::tenant::TenantId;
use tokio::sync::Notify;

use super::circuit::{CircuitState, Health};
use super::in_hand::{InHand, LeaseKey};
use super::job::{Job, JobEvent};
use super::rate::Limited;
use super::scheduler::{Bounds, ClaimPlan, Consequences, Scheduler};
use crate::live::RateLimits;
use crate::wakes::Wakes;

/// The scheduler behind its lock. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Dispatcher(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    scheduler: Mutex<Scheduler<Job>>,
    in_hand: InHand,
    wakes: Wakes,
    idle: Notify,
    closed: AtomicBool,
}

impl Dispatcher {
    pub(crate) fn new(bounds: Bounds, wakes: Wakes) -> Self {
        Self(Arc::new(Inner {
            scheduler: Mutex::new(Scheduler::new(bounds)),
            in_hand: InHand::default(),
            wakes,
            idle: Notify::new(),
            closed: false.into(),
        }))
    }

    fn scheduler(&self) -> MutexGuard<'_, Scheduler<Job>> {
        // The bookkeeping has no step that can panic half-way.
        self.0.scheduler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a delivery in hand that is leased to this host, or will be by what is
    /// about to be committed.
    pub(crate) fn hold(
        &self,
        delivery: Delivery,
        lease: Lease,
        event: JobEvent,
        limits: RateLimits,
    ) -> Job {
        let hold = self.0.in_hand.take((delivery.id, lease.fence));
        Job { delivery, lease, event, limits, hold }
    }

    /// Whether this host has a delivery in its hands under this lease.
    pub(crate) fn holds(&self, key: &LeaseKey) -> bool {
        self.0.in_hand.has(key)
    }

    /// Whether this endpoint's lane takes one more fresh delivery.
    pub(crate) fn has_room(&self, endpoint: EndpointId, now: Timestamp) -> bool {
        !self.is_closed() && self.scheduler().lanes.has_room(endpoint, now)
    }

    /// Puts a fresh delivery's job into its lane. The workers start it.
    pub(crate) fn push(&self, job: Job) {
        self.scheduler().push(job, true);
    }

    /// The same for jobs that were claimed.
    pub(super) fn push_claimed(&self, jobs: Vec<Job>) {
        let mut scheduler = self.scheduler();
        jobs.into_iter().for_each(|job| scheduler.push(job, false));
    }

    /// A delivery that is due was stored for whoever has room.
    pub(crate) fn left_in_store(&self, endpoint: EndpointId, now: Timestamp) {
        if self.scheduler().lanes.left_in_store(endpoint, now) {
            self.0.wakes.claims.set(now);
        }
    }

    /// Whether what a rule sends now would have to wait for a rate limit.
    pub(crate) fn waits_for_limit(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        rule: RuleId,
        limits: RateLimits,
        now: Timestamp,
    ) -> bool {
        self.scheduler().waits_for_limit(tenant, endpoint, rule, limits, now)
    }

    /// Whether alerts are sent to this endpoint now, as this host sees it.
    pub(crate) fn circuit(&self, endpoint: EndpointId) -> CircuitState {
        self.scheduler().lanes.circuit(endpoint)
    }

    /// Nothing can be sent to this endpoint for now. Answers with the jobs that wait
    /// for it, to be given back.
    pub(super) fn block(&self, tenant: TenantId, endpoint: EndpointId) -> Vec<Job> {
        self.scheduler().block(tenant, endpoint)
    }

    /// The endpoints to which nothing can be sent for now.
    pub(super) fn blocked(&self) -> Vec<(TenantId, EndpointId)> {
        self.scheduler().lanes.blocked()
    }

    /// Jobs can be sent to this endpoint again.
    pub(super) fn unblock(&self, endpoint: EndpointId) {
        self.scheduler().unblock(endpoint);
    }

    /// The rate limiters that hold something back.
    pub(super) fn limiters(&self, now: Timestamp) -> Vec<(Limited, Timestamp)> {
        self.scheduler().limiters(now)
    }

    /// Goes on with a limiter where an earlier process left it.
    pub(super) fn restore(&self, limited: Limited, free_at: Timestamp) {
        self.scheduler().restore(limited, free_at);
    }

    /// What a claim made now should bring.
    pub(super) fn claim_plan(&self, now: Timestamp) -> ClaimPlan {
        self.scheduler().lanes.claim_plan(now)
    }

    /// The job whose turn it is, if any may start now. It must be run.
    pub(super) fn next(
        &self,
        now: Timestamp,
        limits_of: impl Fn(&Job) -> RateLimits,
    ) -> Option<Job> {
        let mut scheduler = self.scheduler();
        // Under the lock, so that nothing starts once `close` has seen that nothing runs.
        if self.is_closed() { None } else { scheduler.next(now, limits_of) }
    }

    /// Has what waits for a time looked at when it has come.
    pub(super) fn wake_for_parked(&self) {
        let next = self.scheduler().next_parked();
        if let Some(at) = next {
            self.0.wakes.claims.set(at);
        }
    }

    /// A job's place in its lane is free again. `jitter` is from the unit interval.
    pub(super) fn finished(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        health: Health,
        now: Timestamp,
        jitter: f64,
    ) {
        let (ended, in_flight) = {
            let mut scheduler = self.scheduler();
            let ended = scheduler.finished(tenant, endpoint, health, now, jitter);
            (ended, scheduler.in_flight())
        };
        let Consequences { should_claim, circuit_changed } = ended;
        if circuit_changed {
            self.tell_circuits();
        }
        if should_claim {
            self.0.wakes.claims.set(now);
        }
        if in_flight == 0 {
            self.0.idle.notify_waiters();
        }
    }

    /// Forgets lanes that nobody uses, and has claims made for those that have
    /// room again.
    pub(crate) fn tidy(&self, now: Timestamp) {
        let (waiting, should_claim, is_any_blocked) = {
            let mut scheduler = self.scheduler();
            scheduler.forget_idle(now);
            let is_any_blocked = !scheduler.lanes.blocked().is_empty();
            (scheduler.lanes.waiting(), scheduler.lanes.should_claim(now), is_any_blocked)
        };
        if is_any_blocked {
            // Not every obstacle tells when it is gone: a plugin may be there again.
            self.0.wakes.look_for_unblocked(now);
        }
        if should_claim {
            self.0.wakes.claims.set(now);
        }
        self.tell_circuits();
        metrics::gauge!("alerts_deliveries_in_memory").set(waiting as f64);
    }

    /// Shows how many circuits are not closed.
    fn tell_circuits(&self) {
        let open = self.scheduler().lanes.open_circuits();
        metrics::gauge!("alerts_endpoint_circuits_open").set(open as f64);
    }

    fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Acquire)
    }

    /// Takes all jobs that wait, to give them back.
    pub(crate) fn take_waiting(&self) -> Vec<Job> {
        self.scheduler().drain()
    }

    /// Starts nothing more, and returns what waits once what runs has ended.
    pub(crate) async fn close(&self) -> Vec<Job> {
        self.0.closed.store(true, Ordering::Release);
        loop {
            let ended = self.0.idle.notified();
            if self.scheduler().in_flight() == 0 {
                break;
            }
            ended.await;
        }
        self.take_waiting()
    }
}
