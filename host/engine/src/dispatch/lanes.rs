//! Whose turn it is: one lane for each endpoint, fair turns between tenants and
//! then between a tenant's endpoints, rate limits, and a bound on what runs.
//!
//! Pure bookkeeping: it never waits, and the time is an argument. A slow or dead
//! target fills its own lane and no other.

mod held;
mod parked;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;

use super::circuit::{Circuit, Gate, Health};
use super::lane::{Lane, Piece, Turn};
use super::pace::Pace;
use held::RuleQueue;
pub(super) use parked::Key;
use parked::Parked;

/// Most bytes of event bodies that wait in memory, over all lanes.
const BYTES_WAITING: usize = 64 * 1024 * 1024;
/// What a lane must know of the work in it.
pub(super) trait Work {
    fn tenant(&self) -> &TenantId;
    fn endpoint(&self) -> EndpointId;
    fn rule(&self) -> Option<RuleId>;
    /// What it takes in memory.
    fn bytes(&self) -> usize;
}

/// The limits that bind a piece of work at the moment it would start.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Limits {
    pub(super) tenant: Option<RateLimit>,
    pub(super) endpoint: Option<RateLimit>,
    pub(super) rule: Option<RateLimit>,
}

/// What binds all lanes together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How much may run at once.
    pub(super) in_flight: usize,
    /// How much may start.
    pub(super) rate: Option<RateLimit>,
}

/// What a turn comes to.
enum Start<W> {
    Work(W),
    Nothing,
    TenantWaits(Timestamp),
}

/// What the end of a piece of work means for others.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// The database may hold work that there is room for now.
    pub(super) should_claim: bool,
    /// The endpoint's circuit is not what it was.
    pub(super) circuit_changed: bool,
}

/// All lanes.
#[derive(Debug)]
pub(super) struct Lanes<W> {
    bounds: Bounds,
    lanes: HashMap<EndpointId, Lane<W>>,
    /// Tenants with a lane that may start something, in turn.
    tenants: VecDeque<TenantId>,
    /// Their lanes, in turn. A tenant is a key here exactly while it stands in
    /// `tenants` or is parked.
    turns: HashMap<TenantId, VecDeque<EndpointId>>,
    tenant_paces: HashMap<TenantId, Pace>,
    rules: HashMap<RuleId, RuleQueue<W>>,
    pace: Pace,
    /// Until when nothing starts, by the limit on all.
    paused_until: Option<Timestamp>,
    parked: BTreeMap<Key, Parked>,
    parked_count: u64,
    in_flight: usize,
    /// Of these, towards targets that are not known to answer: half of all places,
    /// so that however many targets are black holes, the others have the rest.
    unproven: usize,
    unproven_waiting: VecDeque<(TenantId, EndpointId)>,
    bytes: usize,
    last_now: Timestamp,
}

impl<W: Work> Lanes<W> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            lanes: HashMap::new(),
            tenants: VecDeque::new(),
            turns: HashMap::new(),
            tenant_paces: HashMap::new(),
            rules: HashMap::new(),
            pace: Pace::default(),
            paused_until: None,
            parked: BTreeMap::new(),
            parked_count: 0,
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

    /// For a claim: the endpoints to leave out, and of these the ones of which a
    /// single delivery is wanted, to see whether the target is back.
    pub(super) fn claim_plan(&mut self, now: Timestamp) -> (Vec<EndpointId>, Vec<EndpointId>) {
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
        (leave_out, probes)
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
        let held = self.rules.values_mut().flat_map(|rule| rule.waiting.drain(..));
        let mut left: Vec<W> = held.map(|piece| piece.work).collect();
        left.extend(self.lanes.values_mut().flat_map(Lane::drain));
        left
    }

    /// The work whose turn it is, if any may start now. It counts as running
    /// until [`Self::finished`].
    pub(super) fn next(&mut self, now: Timestamp, limits_of: impl Fn(&W) -> Limits) -> Option<W> {
        self.watch_clock(now);
        self.unpark(now);
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
        while let Some(tenant) = self.tenants.pop_front() {
            let Some(endpoint) = self.turns.get_mut(&tenant).and_then(VecDeque::pop_front) else {
                self.turns.remove(&tenant);
                continue;
            };
            self.set_turn(endpoint, Turn::None);
            match self.start_in(&tenant, endpoint, now, &limits_of) {
                Start::Work(work) => {
                    // The tenant goes to the back, and so does the lane.
                    self.tenants.push_back(tenant.clone());
                    if self.lanes.get(&endpoint).is_some_and(Lane::has_work) {
                        self.give_turn(tenant, endpoint);
                    }
                    return Some(work);
                }
                Start::Nothing => self.tenants.push_back(tenant),
                Start::TenantWaits(at) => {
                    self.set_turn(endpoint, Turn::Queued);
                    self.turns.entry(tenant.clone()).or_default().push_front(endpoint);
                    self.park(at, Parked::Tenant(tenant));
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
        limits_of: impl Fn(&W) -> Limits,
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
                self.release_next(rule, limits.rule, now);
            }
            return Start::Work(piece.work);
        }
    }

    fn count_start(&mut self, tenant: &TenantId, piece: &Piece<W>, limits: Limits, now: Timestamp) {
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
    ) -> Ended {
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return Ended::default() };
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
            self.parked.remove(&key);
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
        Ended { should_claim, circuit_changed: before != after }
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
        match self.turns.entry(tenant) {
            Entry::Occupied(turns) => turns.into_mut().push_back(endpoint),
            Entry::Vacant(none) => {
                self.tenants.push_back(none.key().clone());
                none.insert(VecDeque::from([endpoint]));
            }
        }
    }

    /// Whether a piece of work that comes now waits for one of these limits.
    pub(super) fn waits_for_limit(
        &self,
        tenant: &TenantId,
        endpoint: EndpointId,
        rule: RuleId,
        limits: Limits,
        now: Timestamp,
    ) -> bool {
        let paces = [
            (self.bounds.rate, Some(self.pace)),
            (limits.tenant, self.tenant_paces.get(tenant).copied()),
            (limits.endpoint, self.lanes.get(&endpoint).map(|lane| lane.pace)),
            (limits.rule, self.rules.get(&rule).map(|rule| rule.pace)),
        ];
        paces.into_iter().any(|(limit, pace)| {
            limit.zip(pace).is_some_and(|(limit, mut pace)| pace.earliest(limit, now) > now)
        })
    }

    /// Forgets lanes and paces that nobody uses, so that memory follows load.
    pub(super) fn forget_idle(&mut self, now: Timestamp) {
        self.lanes.retain(|_, lane| !lane.is_idle(now));
        self.tenant_paces.retain(|_, pace| !pace.is_idle(now));
        self.rules.retain(|_, rule| !rule.waiting.is_empty() || !rule.pace.is_idle(now));
    }
}

#[cfg(test)]
mod tests;
