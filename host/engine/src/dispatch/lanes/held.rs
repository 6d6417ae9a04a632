//! Rules' rate limits: what is over one is held beside its lane, in order, and
//! looked at again once for each piece that may go.

use std::collections::VecDeque;

use alerts_domain::Timestamp;
use alerts_domain::id::RuleId;
use alerts_domain::rate_limit::RateLimit;

use super::parked::Parked;
use super::{Lanes, Work};
use crate::dispatch::lane::Piece;
use crate::dispatch::pace::Pace;

/// Work over its rule's limit. Whatever else is in its lane goes on.
#[derive(Debug)]
pub(super) struct RuleQueue<W> {
    pub(super) pace: Pace,
    pub(super) waiting: VecDeque<Piece<W>>,
}

impl<W> Default for RuleQueue<W> {
    fn default() -> Self {
        Self { pace: Pace::default(), waiting: VecDeque::new() }
    }
}

impl<W: Work> Lanes<W> {
    /// The piece, unless its rule's limit holds it up.
    pub(super) fn pass_rule(
        &mut self,
        piece: Piece<W>,
        limit: Option<RateLimit>,
        now: Timestamp,
    ) -> Option<Piece<W>> {
        let (Some(limit), Some(id)) = (limit, piece.work.rule()) else { return Some(piece) };
        let rule = self.rules.entry(id).or_default();
        if !rule.waiting.is_empty() && !piece.has_waited {
            rule.waiting.push_back(piece);
            return None;
        }
        let at = rule.pace.earliest(limit, now);
        if at <= now {
            rule.pace.count(limit, now);
            return Some(piece);
        }
        rule.waiting.push_front(piece);
        self.park(at, Parked::Rule(id));
        None
    }

    /// One of a rule's pieces has started: lets the next one go, or has it wait.
    pub(super) fn release_next(&mut self, id: RuleId, limit: Option<RateLimit>, now: Timestamp) {
        let Some(rule) = self.rules.get_mut(&id).filter(|rule| !rule.waiting.is_empty()) else {
            return;
        };
        match limit.map(|limit| rule.pace.earliest(limit, now)).filter(|at| *at > now) {
            Some(at) => {
                self.park(at, Parked::Rule(id));
            }
            None => self.release(id),
        }
    }

    /// Puts a rule's first waiting piece back into its lane, as the next one there.
    pub(super) fn release(&mut self, id: RuleId) {
        let waiting = self.rules.get_mut(&id).and_then(|rule| rule.waiting.pop_front());
        let Some(piece) = waiting else { return };
        let (tenant, endpoint) = (piece.work.tenant().clone(), piece.work.endpoint());
        let lane = self.lanes.entry(endpoint).or_default();
        lane.put_back(Piece { has_waited: true, ..piece });
        self.give_turn(tenant, endpoint);
    }
}
