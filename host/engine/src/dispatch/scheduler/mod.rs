//! Whose turn it is: one lane for each endpoint, fair turns between tenants and
//! then between a tenant's endpoints, rate limits, and a bound on what runs.
//!
//! Pure bookkeeping: it never waits, and the time is an argument. A slow or dead
//! target fills its own lane and no other.

mod held;
mod lane;
mod lanes;
mod limiters;
mod paces;
mod parked;
mod rotation;
#[cfg(test)]
mod tests;
mod unproven;
mod work;

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;

use super::circuit::{Circuit, Gate, Health};
use crate::live::RateLimits;
use held::{HeldRules, Next, Passage};
use lane::{Lane, Turn};
pub(super) use lanes::ClaimPlan;
use lanes::Lanes;
use paces::Paces;
use parked::Parked;
use rotation::Rotation;
use unproven::Unproven;
use work::Piece;
pub(super) use work::Work;

/// A clock that goes back by less is two threads that read it one after the other.
const SET_BACK: Duration = Duration::from_secs(1);

/// What binds all lanes together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How much may run at once.
    pub(crate) in_flight: usize,
    /// How much may start.
    pub(crate) rate: Option<RateLimit>,
}

/// What a turn comes to.
enum Start<W> {
    Work(W),
    Nothing,
    TenantWaits(Timestamp),
}

/// What the end of a piece of work means for others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Consequences {
    /// The database may hold work that there is room for now.
    pub(super) should_claim: bool,
    /// The endpoint's circuit is not what it was.
    pub(super) circuit_changed: bool,
}

/// What waits until a time.
#[derive(Debug)]
enum Waiting {
    Lane(TenantId, EndpointId),
    Tenant(TenantId),
    Rule(RuleId),
}

/// All lanes, and whose turn it is.
#[derive(Debug)]
pub(super) struct Scheduler<W> {
    pub(super) lanes: Lanes<W>,
    rotation: Rotation,
    paces: Paces,
    rules: HeldRules<W>,
    unproven: Unproven,
    parked: Parked<Waiting>,
    /// Until when nothing starts, by the limit on all.
    paused_until: Option<Timestamp>,
    in_flight: usize,
    most_in_flight: usize,
    last_now: Timestamp,
}

impl<W: Work> Scheduler<W> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            lanes: Lanes::default(),
            rotation: Rotation::default(),
            paces: Paces::new(bounds.rate),
            rules: HeldRules::default(),
            unproven: Unproven::of(bounds.in_flight),
            parked: Parked::default(),
            paused_until: None,
            in_flight: 0,
            most_in_flight: bounds.in_flight,
            last_now: Timestamp::MIN,
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Puts work at the end of its endpoint's lane. Fresh is what came straight
    /// from intake, not from the database.
    pub(super) fn push(&mut self, work: W, is_fresh: bool) {
        let (tenant, endpoint) = (work.tenant().clone(), work.endpoint());
        self.lanes.push(work, is_fresh);
        self.give_turn(tenant, endpoint);
    }

    /// Nothing can be sent to this endpoint for now, whatever its target may say.
    /// Answers with what waits for it in memory, to be given back.
    pub(super) fn block(&mut self, tenant: TenantId, endpoint: EndpointId) -> Vec<W> {
        let held = self.rules.take_of(endpoint);
        held.iter().for_each(|piece| self.lanes.left(piece));
        let waiting = self.lanes.block(tenant, endpoint);
        for piece in &waiting {
            // It was its rule's turn, and will not start: the rule's next one takes it.
            if let Some(rule) = piece.work.rule().filter(|_| piece.has_waited)
                && let Some(next) = self.rules.take(rule)
            {
                self.release(next);
            }
        }
        waiting.into_iter().chain(held).map(|piece| piece.work).collect()
    }

    /// Deliveries can be sent to this endpoint again. Those in the database are to be
    /// claimed.
    pub(super) fn unblock(&mut self, endpoint: EndpointId) {
        let Some(lane) = self.lanes.get_mut(endpoint) else { return };
        let tenant = lane.blocked.take();
        // What was on its way here when it was blocked.
        if let Some(tenant) = tenant.filter(|_| lane.has_work()) {
            self.give_turn(tenant, endpoint);
        }
    }

    /// Takes all that waits, to give it back.
    pub(super) fn drain(&mut self) -> Vec<W> {
        let held: Vec<Piece<W>> = self.rules.drain().collect();
        held.iter().for_each(|piece| self.lanes.left(piece));
        held.into_iter().chain(self.lanes.empty()).map(|piece| piece.work).collect()
    }

    /// The work whose turn it is, if any may start now. It counts as running
    /// until [`Self::finished`].
    pub(super) fn next(
        &mut self,
        now: Timestamp,
        limits_of: impl Fn(&W) -> RateLimits,
    ) -> Option<W> {
        self.watch_clock(now);
        while let Some(waiting) = self.parked.pop_due(now) {
            self.wake(waiting);
        }
        self.paused_until = None;
        if self.in_flight >= self.most_in_flight {
            return None;
        }
        self.paused_until = self.paces.all_wait_until(now);
        if self.paused_until.is_some() {
            return None;
        }
        while let Some((tenant, endpoint)) = self.rotation.take() {
            self.set_turn(endpoint, Turn::None);
            match self.start_in(&tenant, endpoint, now, &limits_of) {
                Start::Work(work) => {
                    // The tenant goes to the back, and so does the lane.
                    self.rotation.again(tenant.clone());
                    if self.lanes.get(endpoint).is_some_and(Lane::has_work) {
                        self.give_turn(tenant, endpoint);
                    }
                    return Some(work);
                }
                Start::Nothing => self.rotation.again(tenant),
                Start::TenantWaits(at) => {
                    self.set_turn(endpoint, Turn::Queued);
                    self.rotation.put_back(tenant.clone(), endpoint);
                    self.parked.park(at, Waiting::Tenant(tenant));
                }
            }
        }
        None
    }

    fn start_in(
        &mut self,
        tenant: &TenantId,
        endpoint: EndpointId,
        now: Timestamp,
        limits_of: impl Fn(&W) -> RateLimits,
    ) -> Start<W> {
        loop {
            let Some(lane) = self.lanes.get_mut(endpoint) else { return Start::Nothing };
            match lane.gate(now) {
                Gate::Open => {}
                Gate::Full => return Start::Nothing,
                Gate::Until(at) => {
                    self.park_lane(at, tenant, endpoint);
                    return Start::Nothing;
                }
            }
            let Some(first) = lane.peek() else { return Start::Nothing };
            if !lane.breaker.is_proven() && !self.unproven.has_place() {
                lane.turn = Turn::Unproven;
                self.unproven.wait(tenant.clone(), endpoint);
                return Start::Nothing;
            }
            let limits = limits_of(&first.work);
            if let Some(at) = self.paces.tenant_waits_until(tenant, limits.tenant, now) {
                return Start::TenantWaits(at);
            }
            if let Some(limit) = limits.endpoint {
                let at = lane.pace.earliest(limit, now);
                if at > now {
                    self.park_lane(at, tenant, endpoint);
                    return Start::Nothing;
                }
            }
            let Some(piece) = lane.take() else { return Start::Nothing };
            let rule = piece.work.rule();
            let Some(piece) = self.pass_rule(piece, limits.rule, now) else { continue };
            self.count_start(tenant, &piece, limits, now);
            if let Some(rule) = rule {
                match self.rules.next(rule, limits.rule, now) {
                    Next::None => {}
                    Next::Free(piece) => self.release(piece),
                    Next::At(at) => drop(self.parked.park(at, Waiting::Rule(rule))),
                }
            }
            return Start::Work(piece.work);
        }
    }

    /// The piece, unless its rule's limit holds it up.
    fn pass_rule(
        &mut self,
        piece: Piece<W>,
        limit: Option<RateLimit>,
        now: Timestamp,
    ) -> Option<Piece<W>> {
        let (Some(limit), Some(rule)) = (limit, piece.work.rule()) else { return Some(piece) };
        match self.rules.pass(rule, limit, piece, now) {
            Passage::Free(piece) => return Some(piece),
            Passage::Held => {}
            Passage::HeldUntil(at) => drop(self.parked.park(at, Waiting::Rule(rule))),
        }
        None
    }

    /// Puts a piece that its rule held back into its lane, as the next one there.
    fn release(&mut self, piece: Piece<W>) {
        let (tenant, endpoint) = (piece.work.tenant().clone(), piece.work.endpoint());
        self.lanes.lane(endpoint).put_back(piece);
        self.give_turn(tenant, endpoint);
    }

    fn count_start(
        &mut self,
        tenant: &TenantId,
        piece: &Piece<W>,
        limits: RateLimits,
        now: Timestamp,
    ) {
        self.paces.count(tenant, limits.tenant, now);
        let lane = self.lanes.start(piece, now);
        if let Some(limit) = limits.endpoint {
            lane.pace.count(limit, now);
        }
        if !lane.breaker.is_proven() {
            self.unproven.started();
        }
        self.in_flight += 1;
    }

    /// One piece of work in this lane has ended. `jitter` is from the unit interval.
    pub(super) fn finished(
        &mut self,
        tenant: &TenantId,
        endpoint: EndpointId,
        health: Health,
        now: Timestamp,
        jitter: f64,
    ) -> Consequences {
        let Some(lane) = self.lanes.get_mut(endpoint) else { return Consequences::default() };
        let (was_proven, before) = (lane.breaker.is_proven(), lane.breaker.state());
        lane.in_flight -= 1;
        self.in_flight -= 1;
        lane.breaker.ended(health, now, jitter);
        let (is_proven, after) = (lane.breaker.is_proven(), lane.breaker.state());
        self.unproven.ended(was_proven, is_proven, lane.in_flight);
        let should_claim = lane.more_in_store && lane.takes_claims(now);
        if should_claim {
            lane.more_in_store = false;
        }
        if let (Circuit::Closed, Turn::Parked(key)) = (after, lane.turn) {
            // It may have been waiting for its circuit.
            self.parked.remove(key);
            lane.turn = Turn::None;
        }
        if is_proven && lane.turn == Turn::Unproven {
            self.unproven.leave(endpoint);
            lane.turn = Turn::None;
        }
        // Also without work in memory: the time of its probe, or of the end of its
        // rest, must be known.
        let is_open = matches!(after, Circuit::Open { .. });
        if is_open {
            lane.await_recovery();
        }
        if is_open || lane.breaker.is_resting(now) || lane.has_work() {
            self.give_turn(tenant.clone(), endpoint);
        }
        for (tenant, endpoint) in self.unproven.admit() {
            self.set_turn(endpoint, Turn::None);
            self.give_turn(tenant, endpoint);
        }
        Consequences { should_claim, circuit_changed: before != after }
    }

    fn set_turn(&mut self, endpoint: EndpointId, turn: Turn) {
        if let Some(lane) = self.lanes.get_mut(endpoint) {
            lane.turn = turn;
        }
    }

    fn give_turn(&mut self, tenant: TenantId, endpoint: EndpointId) {
        let lane = self.lanes.lane(endpoint);
        if lane.turn != Turn::None {
            return;
        }
        lane.turn = Turn::Queued;
        self.rotation.push(tenant, endpoint);
    }

    /// When parked work may start next.
    pub(super) fn next_parked(&self) -> Option<Timestamp> {
        [self.parked.next_at(), self.paused_until].into_iter().flatten().min()
    }

    fn park_lane(&mut self, at: Timestamp, tenant: &TenantId, endpoint: EndpointId) {
        let key = self.parked.park(at, Waiting::Lane(tenant.clone(), endpoint));
        self.set_turn(endpoint, Turn::Parked(key));
    }

    fn wake(&mut self, waiting: Waiting) {
        match waiting {
            Waiting::Tenant(tenant) => self.rotation.again(tenant),
            Waiting::Rule(rule) => {
                if let Some(piece) = self.rules.take(rule) {
                    self.release(piece);
                }
            }
            Waiting::Lane(tenant, endpoint) => {
                self.set_turn(endpoint, Turn::None);
                self.give_turn(tenant, endpoint);
            }
        }
    }

    /// When the clock was set back, what is parked would wait for its old time:
    /// everything is looked at again instead.
    fn watch_clock(&mut self, now: Timestamp) {
        if now.saturating_add(SET_BACK).is_ok_and(|then| then < self.last_now) {
            self.lanes.set_back(now);
            for waiting in self.parked.take_all() {
                self.wake(waiting);
            }
            self.last_now = now;
        }
        self.last_now = self.last_now.max(now);
    }

    /// Forgets lanes and paces that nobody uses, so that memory follows load.
    pub(super) fn forget_idle(&mut self, now: Timestamp) {
        self.lanes.forget_idle(now);
        self.paces.forget_idle(now);
        self.rules.forget_idle(now);
    }
}
