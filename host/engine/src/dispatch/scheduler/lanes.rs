//! All lanes: what may come into memory, what a claim should bring, and how the
//! targets are.

use std::collections::HashMap;

use alerts_domain::Timestamp;
use alerts_domain::id::EndpointId;
use alerts_domain::tenant::TenantId;

use super::lane::Lane;
use super::work::{Piece, Work};
use crate::dispatch::circuit::Circuit;

/// Most bytes of event bodies that wait in memory, over all lanes.
const BYTES_WAITING: usize = 64 * 1024 * 1024;

/// For a claim: the endpoints to leave out, and of these the ones of which a single
/// delivery is wanted, to see whether the target is back.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::dispatch) struct ClaimPlan {
    pub(in crate::dispatch) leave_out: Vec<EndpointId>,
    pub(in crate::dispatch) probes: Vec<EndpointId>,
}

/// A lane for each endpoint that something is known of.
#[derive(Debug)]
pub(in crate::dispatch) struct Lanes<W> {
    lanes: HashMap<EndpointId, Lane<W>>,
    /// Of the event bodies that wait.
    bytes: usize,
}

impl<W> Default for Lanes<W> {
    fn default() -> Self {
        Self { lanes: HashMap::new(), bytes: 0 }
    }
}

impl<W: Work> Lanes<W> {
    /// Whether one more fresh delivery to this endpoint may wait in memory.
    pub(in crate::dispatch) fn has_room(&self, endpoint: EndpointId, now: Timestamp) -> bool {
        let lane = self.lanes.get(&endpoint);
        self.bytes < BYTES_WAITING && lane.is_none_or(|lane| lane.takes_fresh(now))
    }

    /// A delivery to this endpoint was left in the database though it is due. Says
    /// whether it can be claimed at once.
    pub(in crate::dispatch) fn left_in_store(
        &mut self,
        endpoint: EndpointId,
        now: Timestamp,
    ) -> bool {
        let lane = self.lane(endpoint);
        lane.more_in_store = !lane.takes_claims(now);
        !lane.more_in_store
    }

    /// What a claim made now should bring.
    pub(in crate::dispatch) fn claim_plan(&mut self, now: Timestamp) -> ClaimPlan {
        let (mut leave_out, mut probes) = (Vec::new(), Vec::new());
        for (id, lane) in &mut self.lanes {
            lane.more_in_store = !lane.takes_claims(now);
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
    pub(in crate::dispatch) fn should_claim(&self, now: Timestamp) -> bool {
        self.lanes.values().any(|lane| lane.more_in_store && lane.takes_claims(now))
    }

    /// How many pieces of work wait in memory.
    pub(in crate::dispatch) fn waiting(&self) -> usize {
        self.lanes.values().map(Lane::waiting).sum()
    }

    /// An endpoint's circuit.
    pub(in crate::dispatch) fn circuit(&self, endpoint: EndpointId) -> Circuit {
        self.lanes.get(&endpoint).map_or(Circuit::Closed, |lane| lane.breaker.state())
    }

    /// How many circuits are not closed.
    pub(in crate::dispatch) fn open_circuits(&self) -> usize {
        self.lanes.values().filter(|lane| !lane.breaker.is_closed()).count()
    }

    /// Nothing can be sent to this endpoint for now, whatever its target may say.
    /// Answers with what waits for it in memory, to be given back: what waits in the
    /// database stays there, and costs nothing.
    pub(super) fn block(&mut self, tenant: TenantId, endpoint: EndpointId) -> Vec<Piece<W>> {
        let lane = self.lane(endpoint);
        lane.blocked = Some(tenant);
        lane.more_in_store = true;
        let waiting = lane.empty();
        self.bytes -= waiting.iter().map(|piece| piece.bytes).sum::<usize>();
        waiting
    }

    /// The endpoints that are blocked.
    pub(in crate::dispatch) fn blocked(&self) -> Vec<(TenantId, EndpointId)> {
        let blocked = |(id, lane): (&EndpointId, &Lane<W>)| Some((lane.blocked.clone()?, *id));
        self.lanes.iter().filter_map(blocked).collect()
    }

    /// An endpoint's lane; an empty one if there was none.
    pub(super) fn lane(&mut self, endpoint: EndpointId) -> &mut Lane<W> {
        self.lanes.entry(endpoint).or_default()
    }

    pub(super) fn get(&self, endpoint: EndpointId) -> Option<&Lane<W>> {
        self.lanes.get(&endpoint)
    }

    pub(super) fn get_mut(&mut self, endpoint: EndpointId) -> Option<&mut Lane<W>> {
        self.lanes.get_mut(&endpoint)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (EndpointId, &Lane<W>)> {
        self.lanes.iter().map(|(id, lane)| (*id, lane))
    }

    /// Puts work at the end of its lane.
    pub(super) fn push(&mut self, work: W, is_fresh: bool) {
        let (endpoint, bytes) = (work.endpoint(), work.bytes());
        self.bytes += bytes;
        self.lane(endpoint).push(Piece { work, is_fresh, has_waited: false, bytes });
    }

    /// A piece that was taken out of its lane runs from now on. Answers with the lane.
    pub(super) fn start(&mut self, piece: &Piece<W>, now: Timestamp) -> &mut Lane<W> {
        self.bytes -= piece.bytes;
        let lane = self.lane(piece.work.endpoint());
        lane.start(piece, now);
        lane
    }

    /// The clock was set back to `now`.
    pub(super) fn set_back(&mut self, now: Timestamp) {
        self.lanes.values_mut().for_each(|lane| lane.breaker.set_back(now));
    }

    /// Takes all that waits in the lanes.
    pub(super) fn empty(&mut self) -> Vec<Piece<W>> {
        let waiting: Vec<_> = self.lanes.values_mut().flat_map(Lane::empty).collect();
        self.bytes -= waiting.iter().map(|piece| piece.bytes).sum::<usize>();
        waiting
    }

    /// A piece that was taken out of its lane, and held elsewhere, waits no longer.
    pub(super) fn left(&mut self, piece: &Piece<W>) {
        self.bytes -= piece.bytes;
        self.lane(piece.work.endpoint()).left(piece);
    }

    /// Forgets lanes that nobody uses.
    pub(super) fn forget_idle(&mut self, now: Timestamp) {
        self.lanes.retain(|_, lane| !lane.is_idle(now));
    }
}
