//! What is remembered of a namespace beside its runs, and how far a walk has to go.

use alerts_domain::Timestamp;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::exosphere::local_time::{ClockOffset, LocalTime};

/// How long after it was made a run is remembered once it is over. It may be opened again
/// at any age; beyond this nobody is told.
const HORIZON: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long after it was made a run is looked up that has not ended. Some never do: their
/// worker died, or nobody serves their node.
const OPEN_HORIZON: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NamespaceMemory {
    /// How many runs were ever taken in. Where the platform has more, some sort below
    /// those that are known.
    pub(super) known: u64,
    /// How many runs it has.
    pub(super) total: u64,
    /// How far its clock was off when it made the newest run that was asked about.
    #[serde(default)]
    pub(super) offset: Option<ClockOffset>,
    /// Whether the first walk is under way, which takes in what is there already.
    pub(super) is_taking_in: bool,
    /// Runs that were made before then are old in the first walk; all are when it is
    /// none.
    #[serde(default)]
    pub(super) since: Option<Timestamp>,
    /// When the newest run was made by the platform's clock, in microseconds.
    #[serde(default)]
    newest_us: Option<i64>,
    /// Runs that were made by then, by the platform's clock, and are not known were
    /// forgotten or never taken in.
    #[serde(default)]
    floor_us: Option<i64>,
    /// Where a walk for runs that sort below known ones goes on.
    #[serde(default)]
    walk_page: Option<u64>,
    /// Whether there were more than known ones at the last look too. Once, that may be
    /// one that was counted a moment before it was listed.
    #[serde(default)]
    is_short: bool,
}

impl NamespaceMemory {
    pub(super) fn new(since: Option<Timestamp>) -> Self {
        Self { is_taking_in: true, since, ..Self::default() }
    }

    pub(super) fn read(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok()
    }

    pub(super) fn stored(&self) -> String {
        // A struct of numbers always has a text; an empty one is read as none.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The first page says how many runs there are.
    pub(super) fn counted(&mut self, total: u64) {
        self.total = total;
        // One more was counted than was listed, or some were deleted.
        self.known = self.known.min(total);
    }

    /// Whether the platform's database was made anew: it has fewer runs than are known,
    /// and none of those that were newest.
    pub(super) fn is_another_database(&self, total: u64, knows_any: bool) -> bool {
        !self.is_taking_in && total < self.known && !knows_any
    }

    pub(super) fn take_in(&mut self, created_at: LocalTime) {
        self.known = self.known.saturating_add(1);
        self.newest_us = self.newest_us.max(Some(created_at.0));
    }

    /// Whether a run that is not known is an old one.
    pub(super) fn is_below_floor(&self, created_at: LocalTime) -> bool {
        self.floor_us.is_some_and(|floor_us| created_at.0 <= floor_us)
    }

    /// Whether a run is not looked up any more, though it has not ended.
    pub(super) fn is_given_up(&self, created_at: LocalTime) -> bool {
        let newest = self.newest_us.map(LocalTime);
        newest.is_some_and(|newest| created_at < newest.saturating_sub(OPEN_HORIZON))
    }

    /// Runs that were made before then, by the platform's clock, are forgotten.
    pub(super) fn horizon_us(&self) -> i64 {
        self.newest_us.map_or(i64::MIN, |newest| LocalTime(newest).saturating_sub(HORIZON).0)
    }

    pub(super) fn is_beyond_horizon(&self, oldest_us: Option<i64>) -> bool {
        oldest_us.is_some_and(|oldest_us| oldest_us < self.horizon_us())
    }

    /// The first walk is over, here if it went to no end.
    pub(super) fn taken_in(&mut self, cut_us: Option<i64>) {
        self.is_taking_in = false;
        self.known = self.total;
        self.floor_us = cut_us;
    }

    /// Old runs are forgotten, this one the newest of them.
    pub(super) fn forgotten(&mut self, newest_us: i64) {
        self.floor_us = self.floor_us.max(Some(newest_us));
    }

    /// Which page is read after this one, on which so many runs were new; none when the
    /// walk is over.
    pub(super) fn go_on(
        &mut self,
        page: u64,
        new: usize,
        is_last: bool,
        is_enough: bool,
    ) -> Option<u64> {
        let is_all_known = new == 0 && self.known >= self.total;
        if is_last || is_all_known {
            // What is still missing after the last page is nowhere to be had.
            self.known = self.total;
            (self.walk_page, self.is_short) = (None, false);
            return None;
        }
        if is_enough {
            self.walk_page = Some(page + 1);
            return None;
        }
        if new == 0 && self.walk_page.is_none() && !self.is_short {
            self.is_short = true;
            return None;
        }
        let from = self.walk_page.filter(|_| new == 0).unwrap_or(0);
        Some((page + 1).max(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(known: u64, total: u64) -> NamespaceMemory {
        NamespaceMemory { known, total, ..NamespaceMemory::default() }
    }

    #[test]
    fn a_walk_ends_where_all_are_known_and_goes_on_where_some_are_missing() {
        assert_eq!(memory(500, 500).go_on(1, 0, false, false), None);
        assert_eq!(memory(550, 550).go_on(1, 50, false, false), Some(2));
        let mut short = memory(499, 500);
        assert_eq!(short.go_on(1, 0, false, false), None, "it may be about to be listed");
        assert_eq!(short.go_on(1, 0, false, false), Some(2));
        assert_eq!(short.go_on(2, 0, false, false), Some(3));
        short.known += 1;
        assert_eq!(short.go_on(3, 1, false, false), Some(4), "there may be more beside it");
        assert_eq!(short.go_on(4, 0, false, false), None);
        assert_eq!(short, memory(500, 500));
    }

    #[test]
    fn a_walk_that_is_long_goes_on_where_it_was_and_one_that_finds_nothing_ends() {
        let mut long = NamespaceMemory { is_short: true, ..memory(5, 100_000) };
        assert_eq!(long.go_on(1, 0, false, false), Some(2));
        assert_eq!(long.go_on(100, 0, false, true), None);
        assert_eq!(long.go_on(1, 0, false, false), Some(101));
        assert_eq!(long.go_on(1_000, 0, true, false), None);
        assert_eq!(long, memory(100_000, 100_000), "it does not begin again at each look");
    }

    #[test]
    fn fewer_runs_are_another_database_only_if_none_of_ours_is_there() {
        assert!(memory(10, 10).is_another_database(3, false));
        assert!(memory(10, 10).is_another_database(0, false));
        assert!(!memory(10, 10).is_another_database(9, true), "one was deleted");
        assert!(!memory(10, 10).is_another_database(200, false), "a hundred new ones");
        let mut counted_early = memory(11, 11);
        counted_early.counted(10);
        assert_eq!(counted_early.known, 10);
    }

    #[test]
    fn what_is_old_is_not_taken_for_new_once_it_is_forgotten() {
        let hour_us = 3_600_000_000;
        let mut memory = memory(0, 0);
        memory.take_in(LocalTime(1_000 * hour_us));
        assert!(memory.is_beyond_horizon(Some(831 * hour_us)));
        assert!(!memory.is_beyond_horizon(Some(833 * hour_us)));
        assert!(!memory.is_beyond_horizon(None));
        memory.forgotten(831 * hour_us);
        memory.forgotten(700 * hour_us);
        assert!(memory.is_below_floor(LocalTime(831 * hour_us)));
        assert!(!memory.is_below_floor(LocalTime(832 * hour_us)));
        assert!(memory.is_given_up(LocalTime(279 * hour_us)));
        assert!(!memory.is_given_up(LocalTime(281 * hour_us)));
        let read = NamespaceMemory::read(&memory.stored()).unwrap();
        assert_eq!(read, memory);
    }
}
