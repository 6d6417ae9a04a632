//! Whose turn it is: one lane for each endpoint, fair turns between tenants and
//! then between a tenant's endpoints, a bound on what runs in each lane.
//!
//! Pure bookkeeping: it never waits, and the time is an argument. A slow or dead
//! target fills its own lane and no other.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;
use alerts_domain::tenant::TenantId;

use super::pace::Pace;

/// Attempts that run at once towards one endpoint.
pub(super) const LANE_IN_FLIGHT: usize = 32;
/// Deliveries that one endpoint may have waiting in memory. What is beyond it
/// waits in the database.
pub(super) const LANE_WAITING: usize = 512;

/// What a lane must know of the work in it.
pub(super) trait Work {
    fn tenant(&self) -> &TenantId;
    fn endpoint(&self) -> EndpointId;
    fn rule(&self) -> Option<RuleId>;
}

/// The limits that bind a piece of work at the moment it would start.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Limits {
    pub(super) endpoint: Option<RateLimit>,
    pub(super) rule: Option<RateLimit>,
}

#[derive(Debug)]
struct Lane<W> {
    waiting: VecDeque<W>,
    /// Waiting too, but for a rule's rate limit.
    parked: usize,
    in_flight: usize,
    pace: Pace,
    has_turn: bool,
}

impl<W> Default for Lane<W> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            parked: 0,
            in_flight: 0,
            pace: Pace::default(),
            has_turn: false,
        }
    }
}

/// What waits until a time.
#[derive(Debug)]
enum Parked<W> {
    Work(W),
    Lane(TenantId, EndpointId),
}

/// All lanes.
#[derive(Debug)]
pub(super) struct Lanes<W> {
    lanes: HashMap<EndpointId, Lane<W>>,
    /// Tenants with a lane that may start something, in turn.
    tenants: VecDeque<TenantId>,
    /// Their lanes, in turn.
    turns: HashMap<TenantId, VecDeque<EndpointId>>,
    rules: HashMap<RuleId, Pace>,
    parked: BTreeMap<(Timestamp, u64), Parked<W>>,
    parked_count: u64,
    in_flight: usize,
}

impl<W> Default for Lanes<W> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
            tenants: VecDeque::new(),
            turns: HashMap::new(),
            rules: HashMap::new(),
            parked: BTreeMap::new(),
            parked_count: 0,
            in_flight: 0,
        }
    }
}

impl<W: Work> Lanes<W> {
    /// How much more may wait in this endpoint's lane.
    pub(super) fn room(&self, endpoint: EndpointId) -> usize {
        let taken = self.lanes.get(&endpoint).map_or(0, |lane| lane.waiting.len() + lane.parked);
        LANE_WAITING.saturating_sub(taken)
    }

    /// The endpoints whose lanes take no more, and how many pieces run in all.
    pub(super) fn full(&self) -> Vec<EndpointId> {
        let full = self.lanes.keys().copied().filter(|id| self.room(*id) == 0);
        full.collect()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many pieces of work wait in memory.
    pub(super) fn waiting(&self) -> usize {
        self.lanes.values().map(|lane| lane.waiting.len() + lane.parked).sum()
    }

    /// Puts work at the end of its endpoint's lane.
    pub(super) fn push(&mut self, work: W) {
        let (tenant, endpoint) = (work.tenant().clone(), work.endpoint());
        self.lanes.entry(endpoint).or_default().waiting.push_back(work);
        self.give_turn(tenant, endpoint);
    }

    /// Takes all that waits, to give it back.
    pub(super) fn drain(&mut self) -> Vec<W> {
        let mut left: Vec<W> =
            self.lanes.values_mut().flat_map(|lane| lane.waiting.drain(..)).collect();
        for (_, parked) in std::mem::take(&mut self.parked) {
            if let Parked::Work(work) = parked {
                left.push(work);
            }
        }
        left
    }

    /// The work whose turn it is, if any may start now. It counts as running
    /// until [`Self::finished`].
    pub(super) fn next(&mut self, now: Timestamp, limits_of: impl Fn(&W) -> Limits) -> Option<W> {
        self.unpark(now);
        while let Some(tenant) = self.tenants.pop_front() {
            let Some(endpoint) = self.turns.get_mut(&tenant).and_then(VecDeque::pop_front) else {
                self.turns.remove(&tenant);
                continue;
            };
            // The tenant goes to the back, with what lanes it has left.
            self.tenants.push_back(tenant.clone());
            if let Some(lane) = self.lanes.get_mut(&endpoint) {
                lane.has_turn = false;
            }
            let started = self.start_in(&tenant, endpoint, now, &limits_of);
            let lane = self.lanes.get(&endpoint);
            if lane.is_some_and(|lane| {
                started.is_some() && !lane.waiting.is_empty() && lane.in_flight < LANE_IN_FLIGHT
            }) {
                self.give_turn(tenant, endpoint);
            }
            if started.is_some() {
                return started;
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
    ) -> Option<W> {
        loop {
            let lane = self.lanes.get_mut(&endpoint)?;
            if lane.in_flight >= LANE_IN_FLIGHT {
                return None;
            }
            let limits = limits_of(lane.waiting.front()?);
            if let Some(limit) = limits.endpoint {
                let at = lane.pace.earliest(limit, now);
                if at > now {
                    self.park(at, Parked::Lane(tenant.clone(), endpoint));
                    return None;
                }
            }
            let work = lane.waiting.pop_front()?;
            if let (Some(limit), Some(rule)) = (limits.rule, work.rule()) {
                let pace = self.rules.entry(rule).or_default();
                let at = pace.earliest(limit, now);
                if at > now {
                    // Only this rule's alerts wait; the lane goes on with the next.
                    lane.parked += 1;
                    self.park(at, Parked::Work(work));
                    continue;
                }
                pace.count(limit, now);
            }
            if let Some(limit) = limits.endpoint {
                lane.pace.count(limit, now);
            }
            lane.in_flight += 1;
            self.in_flight += 1;
            return Some(work);
        }
    }

    /// One piece of work in this lane has ended.
    pub(super) fn finished(&mut self, tenant: &TenantId, endpoint: EndpointId) {
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return };
        lane.in_flight -= 1;
        self.in_flight -= 1;
        if !lane.waiting.is_empty() {
            self.give_turn(tenant.clone(), endpoint);
        }
    }

    /// When parked work may start next.
    pub(super) fn next_parked(&self) -> Option<Timestamp> {
        self.parked.keys().next().map(|(at, _)| *at)
    }

    fn park(&mut self, at: Timestamp, parked: Parked<W>) {
        self.parked_count += 1;
        self.parked.insert((at, self.parked_count), parked);
    }

    fn unpark(&mut self, now: Timestamp) {
        while let Some(entry) = self.parked.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Parked::Lane(tenant, endpoint) => self.give_turn(tenant, endpoint),
                Parked::Work(work) => {
                    let (tenant, endpoint) = (work.tenant().clone(), work.endpoint());
                    let lane = self.lanes.entry(endpoint).or_default();
                    lane.parked -= 1;
                    lane.waiting.push_front(work);
                    self.give_turn(tenant, endpoint);
                }
            }
        }
    }

    fn give_turn(&mut self, tenant: TenantId, endpoint: EndpointId) {
        let lane = self.lanes.entry(endpoint).or_default();
        if std::mem::replace(&mut lane.has_turn, true) {
            return;
        }
        // A tenant stands in the queue exactly while it is a key of `turns`.
        match self.turns.entry(tenant) {
            Entry::Occupied(turns) => turns.into_mut().push_back(endpoint),
            Entry::Vacant(none) => {
                self.tenants.push_back(none.key().clone());
                none.insert(VecDeque::from([endpoint]));
            }
        }
    }

    /// Forgets lanes and paces that nobody uses, so that memory follows load.
    pub(super) fn forget_idle(&mut self) {
        self.lanes.retain(|_, lane| {
            lane.in_flight > 0 || lane.parked > 0 || !lane.waiting.is_empty() || lane.has_turn
        });
        if self.rules.len() > 10_000 {
            self.rules.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Piece(TenantId, EndpointId, u32);

    impl Work for Piece {
        fn tenant(&self) -> &TenantId {
            &self.0
        }
        fn endpoint(&self) -> EndpointId {
            self.1
        }
        fn rule(&self) -> Option<RuleId> {
            Some(RuleId::new(NOW, 1))
        }
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn piece(tenant: &str, endpoint: u128, number: u32) -> Piece {
        Piece(TenantId::new(tenant).unwrap(), EndpointId::new(NOW, endpoint), number)
    }

    fn unlimited(_: &Piece) -> Limits {
        Limits::default()
    }

    #[test]
    fn a_tenant_with_much_work_does_not_keep_another_waiting() {
        let mut lanes = Lanes::default();
        for number in 0..100 {
            lanes.push(piece("loud", 1, number));
        }
        lanes.push(piece("quiet", 2, 0));
        let started: Vec<_> = std::iter::from_fn(|| lanes.next(NOW, unlimited)).take(2).collect();
        assert_eq!(started, [piece("loud", 1, 0), piece("quiet", 2, 0)]);
    }

    #[test]
    fn a_target_that_never_answers_holds_only_its_own_lane() {
        let mut lanes = Lanes::default();
        for number in 0..100 {
            lanes.push(piece("t", 1, number));
        }
        let held = std::iter::from_fn(|| lanes.next(NOW, unlimited)).count();
        assert_eq!(held, LANE_IN_FLIGHT);
        lanes.push(piece("t", 2, 0));
        assert_eq!(lanes.next(NOW, unlimited), Some(piece("t", 2, 0)));
        lanes.finished(&TenantId::new("t").unwrap(), EndpointId::new(NOW, 1));
        assert_eq!(lanes.next(NOW, unlimited), Some(piece("t", 1, LANE_IN_FLIGHT as u32)));
    }

    #[test]
    fn over_a_rate_limit_work_waits_and_is_not_lost() {
        let limit = Some(RateLimit { per_minute: 60, burst: Some(1) });
        for limits in
            [Limits { endpoint: limit, rule: None }, Limits { endpoint: None, rule: limit }]
        {
            let mut lanes = Lanes::default();
            lanes.push(piece("t", 1, 0));
            lanes.push(piece("t", 1, 1));
            assert_eq!(lanes.next(NOW, |_| limits), Some(piece("t", 1, 0)));
            assert_eq!(lanes.next(NOW, |_| limits), None);
            let at = lanes.next_parked().unwrap();
            assert_eq!(at.as_millisecond(), 1_000);
            assert_eq!(lanes.waiting(), 1);
            assert_eq!(lanes.next(at, |_| limits), Some(piece("t", 1, 1)));
        }
    }

    #[test]
    fn a_lane_has_bounded_room() {
        let mut lanes = Lanes::default();
        for number in 0..LANE_WAITING as u32 {
            lanes.push(piece("t", 1, number));
        }
        assert_eq!(lanes.room(EndpointId::new(NOW, 1)), 0);
        assert_eq!(lanes.full(), [EndpointId::new(NOW, 1)]);
        assert_eq!(lanes.drain().len(), LANE_WAITING);
        lanes.forget_idle();
        assert_eq!(lanes.room(EndpointId::new(NOW, 1)), LANE_WAITING);
    }
}
