//! Whose turn it is: one lane for each endpoint, fair turns between tenants and
//! then between a tenant's endpoints, rate limits, and a bound on what runs.
//!
//! Pure bookkeeping: it never waits, and the time is an argument. A slow or dead
//! target fills its own lane and no other.

mod held;
mod lane;
mod parked;
mod rotation;
#[cfg(test)]
mod tests;
mod work;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;

use super::circuit::{Circuit, Gate, Health};
use super::rate::Pace;
use crate::live::RateLimits;
use held::{HeldRules, Next, Passage};
use lane::{Lane, Turn};
use parked::Parked;
use rotation::Rotation;
use work::Piece;
pub(super) use work::Work;

/// Most bytes of event bodies that wait in memory, over all lanes.
const BYTES_WAITING: usize = 64 * 1024 * 1024;
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

/// For a claim: the endpoints to leave out, and of these the ones of which a single
/// delivery is wanted, to see whether the target is back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClaimPlan {
    pub(super) leave_out: Vec<EndpointId>,
    pub(super) probes: Vec<EndpointId>,
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
    bounds: Bounds,
    lanes: HashMap<EndpointId, Lane<W>>,
    rotation: Rotation,
    tenant_paces: HashMap<TenantId, Pace>,
    rules: HeldRules<W>,
    pace: Pace,
    /// Until when nothing starts, by the limit on all.
    paused_until: Option<Timestamp>,
    parked: Parked<Waiting>,
    in_flight: usize,
    /// Of these, towards targets that are not known to answer: half of all places,
    /// so that however many targets are black holes, the others have the rest.
    unproven: usize,
    unproven_waiting: VecDeque<(TenantId, EndpointId)>,
    bytes: usize,
    last_now: Timestamp,
}

impl<W: Work> Scheduler<W> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            lanes: HashMap::new(),
            rotation: Rotation::default(),
            tenant_paces: HashMap::new(),
            rules: HeldRules::default(),
            pace: Pace::default(),
            paused_until: None,
            parked: Parked::default(),
            in_flight: 0,
            unproven: 0,
            unproven_waiting: VecDeque::new(),
            bytes: 0,
            last_now: Timestamp::MIN,
        }
    }

    /// Whether one more fresh delivery to this endpoint may wait in memory.
    pub(super) fn has_room(&self, endpoint: EndpointId, now: Timestamp) -> bool {
        let lane = self.lanes.get(&endpoint);
        self.bytes < BYTES_WAITING && lane.is_none_or(|lane| lane.takes_fresh(now))
    }

    /// A delivery to this endpoint was left in the database though it is due. Says
    /// whether it can be claimed at once.
    pub(super) fn left_in_store(&mut self, endpoint: EndpointId) -> bool {
        let lane = self.lanes.entry(endpoint).or_default();
        lane.more_in_store = !lane.takes_claims();
        !lane.more_in_store
    }

    /// What a claim made now should bring.
    pub(super) fn claim_plan(&mut self, now: Timestamp) -> ClaimPlan {
        let (mut leave_out, mut probes) = (Vec::new(), Vec::new());
        for (id, lane) in &mut self.lanes {
            lane.more_in_store = !lane.takes_claims();
            if lane.more_in_store {
                leave_out.push(*id);
            }
            if lane.wants_probe(now) {
                probes.push(*id);
            }
        }
        ClaimPlan { leave_out, probes }
    }

    /// Whether a lane has been waiting for room that it has got meanwhile.
    pub(super) fn should_claim(&self) -> bool {
        self.lanes.values().any(|lane| lane.more_in_store && lane.takes_claims())
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many pieces of work wait in memory.
    pub(super) fn waiting(&self) -> usize {
        self.lanes.values().map(Lane::waiting).sum()
    }

    /// An endpoint's circuit.
    pub(super) fn circuit(&self, endpoint: EndpointId) -> Circuit {
        self.lanes.get(&endpoint).map_or(Circuit::Closed, |lane| lane.breaker.state())
    }

    /// How many circuits are not closed.
    pub(super) fn open_circuits(&self) -> usize {
        self.lanes.values().filter(|lane| !lane.breaker.is_closed()).count()
    }

    /// Puts work at the end of its endpoint's lane. Fresh is what came straight
    /// from intake, not from the database.
    pub(super) fn push(&mut self, work: W, is_fresh: bool) {
        let (tenant, endpoint, bytes) = (work.tenant().clone(), work.endpoint(), work.bytes());
        self.bytes += bytes;
        let piece = Piece { work, is_fresh, has_waited: false, bytes };
        self.lanes.entry(endpoint).or_default().push(piece);
        self.give_turn(tenant, endpoint);
    }

    /// Takes all that waits, to give it back.
    pub(super) fn drain(&mut self) -> Vec<W> {
        let mut left: Vec<W> = self.rules.drain().map(|piece| piece.work).collect();
        left.extend(self.lanes.values_mut().flat_map(Lane::drain));
        left
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
        if self.in_flight >= self.bounds.in_flight {
            return None;
        }
        if let Some(limit) = self.bounds.rate {
            let at = self.pace.earliest(limit, now);
            if at > now {
                self.paused_until = Some(at);
                return None;
            }
        }
        while let Some((tenant, endpoint)) = self.rotation.take() {
            self.set_turn(endpoint, Turn::None);
            match self.start_in(&tenant, endpoint, now, &limits_of) {
                Start::Work(work) => {
                    // The tenant goes to the back, and so does the lane.
                    self.rotation.again(tenant.clone());
                    if self.lanes.get(&endpoint).is_some_and(Lane::has_work) {
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
            let Some(lane) = self.lanes.get_mut(&endpoint) else { return Start::Nothing };
            match lane.gate(now) {
                Gate::Open => {}
                Gate::Full => return Start::Nothing,
                Gate::Until(at) => {
                    self.park_lane(at, tenant, endpoint);
                    return Start::Nothing;
                }
            }
            let Some(first) = lane.peek() else { return Start::Nothing };
            if !lane.breaker.is_proven() && self.unproven >= self.bounds.in_flight / 2 {
                lane.turn = Turn::Unproven;
                self.unproven_waiting.push_back((tenant.clone(), endpoint));
                return Start::Nothing;
            }
            let limits = limits_of(&first.work);
            if let Some(limit) = limits.tenant {
                let pace = self.tenant_paces.entry(tenant.clone()).or_default();
                let at = pace.earliest(limit, now);
                if at > now {
                    return Start::TenantWaits(at);
                }
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
        self.lanes.entry(endpoint).or_default().put_back(piece);
        self.give_turn(tenant, endpoint);
    }

    fn count_start(
        &mut self,
        tenant: &TenantId,
        piece: &Piece<W>,
        limits: RateLimits,
        now: Timestamp,
    ) {
        if let Some(limit) = self.bounds.rate {
            self.pace.count(limit, now);
        }
        if let Some(limit) = limits.tenant {
            self.tenant_paces.entry(tenant.clone()).or_default().count(limit, now);
        }
        let lane = self.lanes.entry(piece.work.endpoint()).or_default();
        if let Some(limit) = limits.endpoint {
            lane.pace.count(limit, now);
        }
        lane.start(piece, now);
        self.bytes -= piece.bytes;
        self.in_flight += 1;
        if !lane.breaker.is_proven() {
            self.unproven += 1;
        }
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
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return Consequences::default() };
        let (was_proven, before) = (lane.breaker.is_proven(), lane.breaker.state());
        lane.in_flight -= 1;
        self.in_flight -= 1;
        lane.breaker.ended(health, now, jitter);
        let (is_proven, after) = (lane.breaker.is_proven(), lane.breaker.state());
        match (was_proven, is_proven) {
            (false, false) => self.unproven -= 1,
            (false, true) => self.unproven -= lane.in_flight + 1,
            (true, false) => self.unproven += lane.in_flight,
            (true, true) => {}
        }
        let should_claim = lane.more_in_store && lane.takes_claims();
        if should_claim {
            lane.more_in_store = false;
        }
        if let (Circuit::Closed, Turn::Parked(key)) = (after, lane.turn) {
            // It may have been waiting for its circuit.
            self.parked.remove(key);
            lane.turn = Turn::None;
        }
        if is_proven && lane.turn == Turn::Unproven {
            // It needs none of the places of those that are not.
            self.unproven_waiting.retain(|(_, waiting)| *waiting != endpoint);
            lane.turn = Turn::None;
        }
        // Also without work in memory: the time of its probe must be known.
        let waits = matches!(after, Circuit::Open { .. });
        if waits {
            lane.await_recovery();
        }
        if waits || lane.has_work() {
            self.give_turn(tenant.clone(), endpoint);
        }
        for _ in self.unproven..self.bounds.in_flight / 2 {
            let Some((tenant, endpoint)) = self.unproven_waiting.pop_front() else { break };
            self.set_turn(endpoint, Turn::None);
            self.give_turn(tenant, endpoint);
        }
        Consequences { should_claim, circuit_changed: before != after }
    }

    fn set_turn(&mut self, endpoint: EndpointId, turn: Turn) {
        if let Some(lane) = self.lanes.get_mut(&endpoint) {
            lane.turn = turn;
        }
    }

    fn give_turn(&mut self, tenant: TenantId, endpoint: EndpointId) {
        let lane = self.lanes.entry(endpoint).or_default();
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
            for lane in self.lanes.values_mut() {
                lane.breaker.set_back(now);
            }
            for waiting in self.parked.take_all() {
                self.wake(waiting);
            }
            self.last_now = now;
        }
        self.last_now = self.last_now.max(now);
    }

    /// Whether a piece of work that comes now waits for one of these limits.
    pub(super) fn waits_for_limit(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        rule: RuleId,
        limits: RateLimits,
        now: Timestamp,
    ) -> bool {
        let paces = [
            (self.bounds.rate, Some(self.pace)),
            (limits.tenant, self.tenant_paces.get(tenant).copied()),
            (limits.endpoint, self.lanes.get(&endpoint).map(|lane| lane.pace)),
            (limits.rule, self.rules.pace(rule)),
        ];
        paces.into_iter().any(|(limit, pace)| {
            limit.zip(pace).is_some_and(|(limit, mut pace)| pace.earliest(limit, now) > now)
        })
    }

    /// Forgets lanes and paces that nobody uses, so that memory follows load.
    pub(super) fn forget_idle(&mut self, now: Timestamp) {
        self.lanes.retain(|_, lane| !lane.is_idle(now));
        self.tenant_paces.retain(|_, pace| !pace.is_idle(now));
        self.rules.forget_idle(now);
    }
}
