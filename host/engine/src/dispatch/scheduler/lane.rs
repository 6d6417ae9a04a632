//! One endpoint's lane: what waits for it, in two queues that take turns, and
//! what is known of its target.

use std::collections::VecDeque;

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;

use super::parked::Key;
use super::work::Piece;
use crate::dispatch::circuit::{Breaker, Circuit, Gate};
use crate::dispatch::rate::Pace;

/// Fresh deliveries that one endpoint may have waiting in memory: while its
/// target answers, and before that is known. What is beyond waits in the database.
pub(super) const FRESH_WAITING: usize = 4096;
const FRESH_UNPROVEN: usize = 128;
/// The same in bytes of event bodies.
const BYTES_WAITING: usize = 8 * 1024 * 1024;
/// Below so many claimed ones in memory, more are claimed.
const BACKLOG_LOW: usize = 32;

/// Whether a lane stands in a queue for the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// In none.
    None,
    /// Among its tenant's lanes.
    Queued,
    /// Waits for a time.
    Parked(Key),
    /// Waits for one of the places of targets that are not known to answer.
    Unproven,
}

#[derive(Debug)]
pub(super) struct Lane<W> {
    fresh: VecDeque<Piece<W>>,
    backlog: VecDeque<Piece<W>>,
    /// Waiting here or for a rule's limit.
    fresh_count: usize,
    backlog_count: usize,
    bytes: usize,
    last_was_fresh: bool,
    pub(super) in_flight: usize,
    pub(super) pace: Pace,
    pub(super) breaker: Breaker,
    pub(super) turn: Turn,
    /// Whose lane it is, while nothing can be sent to its endpoint whatever the target
    /// may say.
    pub(super) blocked: Option<TenantId>,
    /// The database may hold more that is due.
    pub(super) more_in_store: bool,
}

impl<W> Default for Lane<W> {
    fn default() -> Self {
        Self {
            fresh: VecDeque::new(),
            backlog: VecDeque::new(),
            fresh_count: 0,
            backlog_count: 0,
            bytes: 0,
            last_was_fresh: false,
            in_flight: 0,
            pace: Pace::default(),
            breaker: Breaker::default(),
            turn: Turn::None,
            blocked: None,
            more_in_store: false,
        }
    }
}

impl<W> Lane<W> {
    /// Puts a piece at the end.
    pub(super) fn push(&mut self, piece: Piece<W>) {
        *self.count(piece.is_fresh) += 1;
        self.bytes += piece.bytes;
        self.queue(piece.is_fresh).push_back(piece);
    }

    /// Puts a piece that was taken back to the front.
    pub(super) fn put_back(&mut self, piece: Piece<W>) {
        self.queue(piece.is_fresh).push_front(piece);
    }

    fn queue(&mut self, is_fresh: bool) -> &mut VecDeque<Piece<W>> {
        if is_fresh { &mut self.fresh } else { &mut self.backlog }
    }

    fn count(&mut self, is_fresh: bool) -> &mut usize {
        if is_fresh { &mut self.fresh_count } else { &mut self.backlog_count }
    }

    /// Fresh ones and the backlog take turns: neither waits for all of the other.
    fn next_is_fresh(&self) -> bool {
        match (self.fresh.is_empty(), self.backlog.is_empty()) {
            (false, false) => !self.last_was_fresh,
            (is_empty, _) => !is_empty,
        }
    }

    /// The one whose turn it is.
    pub(super) fn peek(&self) -> Option<&Piece<W>> {
        if self.next_is_fresh() { self.fresh.front() } else { self.backlog.front() }
    }

    /// Takes the one whose turn it is. It counts as waiting until [`Self::start`].
    pub(super) fn take(&mut self) -> Option<Piece<W>> {
        let is_fresh = self.next_is_fresh();
        self.last_was_fresh = is_fresh;
        self.queue(is_fresh).pop_front()
    }

    /// A piece that was taken runs from now on.
    pub(super) fn start(&mut self, piece: &Piece<W>, now: Timestamp) {
        self.left(piece);
        self.in_flight += 1;
        self.breaker.started(now);
    }

    /// A piece that was taken waits no longer.
    pub(super) fn left(&mut self, piece: &Piece<W>) {
        *self.count(piece.is_fresh) -= 1;
        self.bytes -= piece.bytes;
    }

    /// The target is away: what waits here has lost its haste, and must not stand
    /// before what comes in once the target is back.
    pub(super) fn await_recovery(&mut self) {
        let aged = self.fresh.drain(..).map(|piece| Piece { is_fresh: false, ..piece });
        let before = self.backlog.len();
        self.backlog.extend(aged);
        let aged = self.backlog.len() - before;
        self.fresh_count -= aged;
        self.backlog_count += aged;
    }

    /// Takes all that waits here, to be given back while the lane goes on.
    pub(super) fn empty(&mut self) -> Vec<Piece<W>> {
        let taken: Vec<_> = self.fresh.drain(..).chain(self.backlog.drain(..)).collect();
        taken.iter().for_each(|piece| self.left(piece));
        taken
    }

    /// How many wait, here or for a rule's limit.
    pub(super) fn waiting(&self) -> usize {
        self.fresh_count + self.backlog_count
    }

    /// Whether something could be started if nothing else forbids it.
    pub(super) fn has_work(&self) -> bool {
        !self.fresh.is_empty() || !self.backlog.is_empty()
    }

    /// Whether one more fresh delivery may wait in memory.
    pub(super) fn takes_fresh(&self, now: Timestamp) -> bool {
        let most = match self.breaker.state() {
            _ if self.blocked.is_some() => 0,
            Circuit::Closed if self.breaker.is_resting(now) => FRESH_UNPROVEN,
            Circuit::Closed if self.breaker.is_proven() => FRESH_WAITING,
            Circuit::Closed => FRESH_UNPROVEN,
            // The probe, if there is nothing else to send.
            _ => usize::from(self.wants_probe(now)),
        };
        self.fresh_count < most && self.bytes < BYTES_WAITING
    }

    /// Whether due deliveries should be claimed for it.
    pub(super) fn takes_claims(&self, now: Timestamp) -> bool {
        let is_low = self.backlog_count < BACKLOG_LOW && self.bytes < BYTES_WAITING;
        let is_well = self.breaker.is_closed() && !self.breaker.is_resting(now);
        self.blocked.is_none() && is_well && is_low
    }

    /// Whether a probe may be sent and there is nothing here to send.
    pub(super) fn wants_probe(&self, now: Timestamp) -> bool {
        self.blocked.is_none()
            && self.waiting() == 0
            && self.breaker.wants_probe(self.in_flight, now)
    }

    pub(super) fn gate(&self, now: Timestamp) -> Gate {
        // Also while it is blocked: what was on its way here is tried, finds the
        // obstacle, and is given back.
        self.breaker.gate(self.in_flight, now)
    }

    /// Whether nothing is lost when it is forgotten.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        self.in_flight == 0
            && self.waiting() == 0
            && self.turn == Turn::None
            && self.blocked.is_none()
            && !self.more_in_store
            && self.pace.is_idle(now)
            && self.breaker.is_idle(now)
    }
}
