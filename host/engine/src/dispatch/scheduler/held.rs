//! Rules' rate limits: what is over one is held beside its lane, in order, and
//! looked at again once for each piece that may go.

use std::collections::{HashMap, VecDeque};

use alerts_domain::Timestamp;
use alerts_domain::id::{EndpointId, RuleId};
use alerts_domain::rate_limit::RateLimit;

use super::work::{Piece, Work};
use crate::dispatch::rate::Pace;

/// Work over its rule's limit. Whatever else is in its lane goes on.
#[derive(Debug)]
pub(super) struct HeldRules<W>(HashMap<RuleId, HeldRule<W>>);

#[derive(Debug)]
struct HeldRule<W> {
    pace: Pace,
    waiting: VecDeque<Piece<W>>,
}

/// What a rule's limit says about a piece that would start.
pub(super) enum Passage<W> {
    /// It counts as started.
    Free(Piece<W>),
    /// It is held, behind others of its rule.
    Held,
    /// It is held, the first of its rule, until then.
    HeldUntil(Timestamp),
}

/// What is to become of a rule's next piece.
pub(super) enum Next<W> {
    /// There is none.
    None,
    /// It may go into its lane.
    Free(Piece<W>),
    /// Not before then.
    At(Timestamp),
}

impl<W> Default for HeldRules<W> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<W> HeldRules<W> {
    /// Counts a piece against its rule's limit, or holds it.
    pub(super) fn pass(
        &mut self,
        id: RuleId,
        limit: RateLimit,
        piece: Piece<W>,
        now: Timestamp,
    ) -> Passage<W> {
        let new = || HeldRule { pace: Pace::default(), waiting: VecDeque::new() };
        let rule = self.0.entry(id).or_insert_with(new);
        if !rule.waiting.is_empty() && !piece.has_waited {
            rule.waiting.push_back(piece);
            return Passage::Held;
        }
        let at = rule.pace.earliest(limit, now);
        if at <= now {
            rule.pace.count(limit, now);
            return Passage::Free(piece);
        }
        rule.waiting.push_front(piece);
        Passage::HeldUntil(at)
    }

    /// The next piece, after one of the rule's has started.
    pub(super) fn next(&mut self, id: RuleId, limit: Option<RateLimit>, now: Timestamp) -> Next<W> {
        let Some(rule) = self.0.get_mut(&id).filter(|rule| !rule.waiting.is_empty()) else {
            return Next::None;
        };
        match limit.map(|limit| rule.pace.earliest(limit, now)).filter(|at| *at > now) {
            Some(at) => Next::At(at),
            None => self.take(id).map_or(Next::None, Next::Free),
        }
    }

    /// Takes a rule's first piece, whose time has come.
    pub(super) fn take(&mut self, id: RuleId) -> Option<Piece<W>> {
        let piece = self.0.get_mut(&id)?.waiting.pop_front()?;
        Some(Piece { has_waited: true, ..piece })
    }

    /// A rule's pace, if it has one.
    pub(super) fn pace(&self, id: RuleId) -> Option<Pace> {
        self.0.get(&id).map(|rule| rule.pace)
    }

    /// Every rule's pace.
    pub(super) fn paces(&self) -> impl Iterator<Item = (RuleId, Pace)> + '_ {
        self.0.iter().map(|(id, rule)| (*id, rule.pace))
    }

    /// Goes on with a rule's pace.
    pub(super) fn restore(&mut self, id: RuleId, pace: Pace) {
        self.0.insert(id, HeldRule { pace, waiting: VecDeque::new() });
    }

    /// Takes all that is held.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Piece<W>> + '_ {
        self.0.values_mut().flat_map(|rule| rule.waiting.drain(..))
    }

    /// Takes what is held of one endpoint.
    pub(super) fn take_of(&mut self, endpoint: EndpointId) -> Vec<Piece<W>>
    where
        W: Work,
    {
        let mut taken = Vec::new();
        for rule in self.0.values_mut() {
            let all = std::mem::take(&mut rule.waiting).into_iter();
            let (of_it, rest): (VecDeque<_>, VecDeque<_>) =
                all.partition(|piece| piece.work.endpoint() == endpoint);
            rule.waiting = rest;
            taken.extend(of_it);
        }
        taken
    }

    /// Forgets rules that hold nothing back.
    pub(super) fn forget_idle(&mut self, now: Timestamp) {
        self.0.retain(|_, rule| !rule.waiting.is_empty() || !rule.pace.is_idle(now));
    }
}
