//! How often something happened in a window that slides, exact at its edges.
//!
//! An event is in the window of length `w` that ends at `t` when it happened
//! after `t − w`, and at `t` or before. Kept are the newest events only, as many
//! as the rule needs to see a breach; so one group's memory has a bound, whatever
//! comes in.
//!
//! Kept they are in two lists. An event changes `recent`, which is short; what is
//! older is rewritten only when `recent` is full and moves there. So an event in a
//! window of ten thousand costs some hundred bytes of writing, and not all of them.

mod end;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::marks::{Mark, Marks};
use super::recovery::Told;
use super::threshold::{Breach, ThresholdTrigger};

/// Most events in the list that is written each time. As many as keep the sum of
/// both small: half a list of these for each event, and all that is older, 30 KB
/// at most, shared by so many events.
const MAX_RECENT: usize = 128;

/// What one rule remembers of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Window {
    older: Marks,
    recent: Marks,
    /// When the breach that goes on was last alerted.
    alerted_at: Option<Timestamp>,
    /// The breach whose end is still to be told.
    told: Option<Told>,
    /// Whether `older` is another one than was read.
    has_moved: bool,
}

/// What follows from an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WindowStep {
    /// How many of the rule's own events are in the window.
    pub(super) found: u32,
    /// How many events of all counted types are.
    pub(super) total: u32,
    /// Whether that is too much.
    pub(super) is_breached: bool,
    /// Whether to fire: it is too much, and was not told yet.
    pub(super) fires: bool,
    /// When the first of what is too much happened, where it fires.
    pub(super) since: Option<Timestamp>,
}

impl Window {
    /// Takes an event in that happened at `at`. `is_own` says whether it is one
    /// of the rule's, and not only one of the total.
    pub(super) fn observe(
        &mut self,
        trigger: &ThresholdTrigger,
        at: Timestamp,
        is_own: bool,
    ) -> WindowStep {
        let at_us = at.as_microsecond();
        // An event that comes late is judged by the newest that is known: that
        // there was no breach at its own time says nothing of the one since.
        let newest_us = self.newest_us().map_or(at_us, |newest_us| newest_us.max(at_us));
        // After this an event is in the window.
        let after_us = newest_us.saturating_sub(width_us(trigger));
        // What was before this event: a breach that ended since is over.
        let (found, total) = self.counts(trigger, after_us);
        if !trigger.is_breached(found, total) {
            self.alerted_at = None;
        }
        self.recent.insert(Mark { at_us, is_own });
        self.forget(trigger, after_us);
        let (found, total) = self.counts(trigger, after_us);
        let is_breached = trigger.is_breached(found, total);
        let newest = Timestamp::from_microsecond(newest_us).unwrap_or(at);
        let fires = is_breached && self.may_alert(trigger, newest);
        if fires {
            self.alerted_at = Some(newest);
        }
        let since = fires.then(|| self.first_of(total)).flatten();
        WindowStep { found, total, is_breached, fires, since }
    }

    /// It fired, but nothing could be made of it: the breach is still to be told.
    pub(super) fn not_alerted(&mut self) {
        self.alerted_at = None;
        self.told = None;
    }

    /// When the oldest of the rule's own happened, among the newest `total`.
    fn first_of(&self, total: u32) -> Option<Timestamp> {
        let own = self.newest_first().take(total as usize).filter(|mark| mark.is_own);
        Timestamp::from_microsecond(own.last()?.at_us).ok()
    }

    fn may_alert(&self, trigger: &ThresholdTrigger, at: Timestamp) -> bool {
        match (self.alerted_at, trigger.cooldown_ms) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(alerted_at), Some(cooldown_ms)) => {
                at.duration_since(alerted_at).as_millis() >= i128::from(cooldown_ms)
            }
        }
    }

    fn newest_us(&self) -> Option<i64> {
        let last = |marks: &Marks| marks.as_slice().last().map(|mark| mark.at_us);
        last(&self.older).max(last(&self.recent))
    }

    /// Leaves away what no window will count again, and makes place in `recent`.
    fn forget(&mut self, trigger: &ThresholdTrigger, after_us: i64) {
        if self.older.as_slice().last().is_some_and(|mark| mark.at_us <= after_us) {
            self.older = Marks::default();
            self.has_moved = true;
        }
        if self.older.as_slice().is_empty() {
            self.recent.trim(after_us, trigger.kept());
        }
        if self.recent.as_slice().len() <= MAX_RECENT {
            return;
        }
        self.older.merge(&mut self.recent);
        self.older.trim(after_us, trigger.kept());
        self.has_moved = true;
        if self.older.as_slice().len() <= MAX_RECENT {
            std::mem::swap(&mut self.older, &mut self.recent);
        }
    }

    /// How many of its own, and how many in all, happened after this time, as far
    /// as they are to be remembered: never more than that, whatever else is still
    /// kept, so that the figures do not depend on how it is kept.
    fn counts(&self, trigger: &ThresholdTrigger, after_us: i64) -> (u32, u32) {
        let within = |marks: &'_ Marks| {
            let marks = marks.as_slice();
            marks.len() - marks.partition_point(|mark| mark.at_us <= after_us)
        };
        let total = (within(&self.older) + within(&self.recent)).min(trigger.kept());
        match &trigger.breach {
            Breach::Count(_) => (total as u32, total as u32),
            Breach::Ratio(ratio) => {
                let total = total.min(ratio.last as usize);
                let own = self.newest_first().take(total).filter(|mark| mark.is_own);
                (own.count() as u32, total as u32)
            }
        }
    }

    /// Both lists as one, the newest first; of those at the same time the one that
    /// came last.
    fn newest_first(&self) -> impl Iterator<Item = &Mark> {
        let mut older = self.older.as_slice().iter().rev().peekable();
        let mut recent = self.recent.as_slice().iter().rev().peekable();
        std::iter::from_fn(move || match (older.peek(), recent.peek()) {
            (Some(before), Some(later)) if before.at_us > later.at_us => older.next(),
            (_, Some(_)) => recent.next(),
            (_, None) => older.next(),
        })
    }
}

fn width_us(trigger: &ThresholdTrigger) -> i64 {
    i64::try_from(trigger.window().as_micros()).unwrap_or(i64::MAX)
}

/// A window's short part, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    #[serde(default)]
    recent: Marks,
    /// How many there are in the other part; none, and what may still be there is
    /// of no meaning.
    #[serde(default, skip_serializing_if = "is_zero")]
    older: usize,
    #[serde(default)]
    alerted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<Told>,
    /// As it was written when there was one part: all times, in microseconds.
    #[serde(default, skip_serializing)]
    times: Vec<i64>,
    /// And which of them are the rule's own; left out where all are.
    #[serde(default, skip_serializing)]
    own: Vec<bool>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Window {
    pub(super) fn head(&self) -> Head {
        Head {
            recent: self.recent.clone(),
            older: self.older.as_slice().len(),
            alerted_at: self.alerted_at,
            told: self.told.clone(),
            times: Vec::new(),
            own: Vec::new(),
        }
    }

    /// The other part, if it has changed since it was read.
    pub(super) fn moved(&self) -> Option<&Marks> {
        self.has_moved.then_some(&self.older)
    }

    /// Puts both parts together again; `older` is not looked at where there is
    /// nothing in it. None when they do not belong together.
    pub(super) fn from_parts(head: Head, older: Option<&[u8]>) -> Option<Self> {
        let Head { mut recent, older: expected, alerted_at, told, times, own } = head;
        for (index, at_us) in times.into_iter().enumerate() {
            recent.insert(Mark { at_us, is_own: own.get(index).copied().unwrap_or(true) });
        }
        let older = match expected {
            0 => Marks::default(),
            _ => Marks::from_bytes(older?)?,
        };
        let is_whole = older.as_slice().len() == expected;
        is_whole.then_some(Self { older, recent, alerted_at, told, has_moved: false })
    }
}

#[cfg(test)]
mod tests;
