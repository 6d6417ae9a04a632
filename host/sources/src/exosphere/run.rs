//! One run: what was seen of it, and what is seen now, make what is to be told and what
//! is remembered from then on. Pure: everything that is decided about a run is decided
//! here.

use serde::{Deserialize, Serialize};

use super::answers::{Counts, End, RunRow, RunStatus};

/// How long a row must read the same before it is believed that the run has ended, in
/// milliseconds. Between the last branch and the join after it a run reads as ended for
/// some tens of them.
const CONFIRM_MS: i64 = 2_000;
/// How long a run may have no states before its trigger is believed to have failed, in
/// milliseconds. A trigger that works writes the first one within moments.
const NO_STATES_MS: i64 = 60_000;
/// How long after the first look at a platform an end that was found there may turn out
/// to have been none, in milliseconds.
const FIRST_LOOK_MS: i64 = 10_000;

/// What is remembered of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunMemory {
    /// When it was seen first, by the host's clock, in milliseconds since 1970.
    first_seen_ms: i64,
    /// When it was made, in UTC, in milliseconds since 1970; none before that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_ms: Option<i64>,
    /// When it was opened again last, in milliseconds since 1970: since then it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reopened_ms: Option<i64>,
    /// Whether its start is told.
    is_started: bool,
    /// A row that may be its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    candidate: Option<Candidate>,
    /// Its last end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Candidate {
    end: End,
    counts: Counts,
    since_ms: i64,
}

/// An end that was told, or was there before anybody watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    end: End,
    counts: Counts,
    /// Whether it was there at the first look.
    #[serde(default)]
    is_old: bool,
    /// Whether it is told that the run was opened again since.
    #[serde(default)]
    is_reopened: bool,
    /// How often each end was told with as many states as this one has.
    succeeded: u32,
    failed: u32,
    /// When it was over, as was told, in milliseconds since 1970.
    #[serde(default)]
    at_ms: i64,
}

/// Something that happened to a run and is to be told. Each has what makes its id one of
/// its own: the number of states, which grows with each retry, and how often the same
/// was told with that number before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Started,
    Ended {
        end: End,
        repeat: u32,
    },
    /// It was opened again, after an end with so many states.
    Restarted {
        after_total: u64,
        after_ms: i64,
        repeat: u32,
    },
}

/// When a row was read, by the host's clock, in milliseconds since 1970: at some moment
/// between these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadAt {
    pub(crate) asked_ms: i64,
    pub(crate) answered_ms: i64,
}

/// What a look at a run has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) memory: RunMemory,
    /// In the order in which it happened.
    pub(crate) moments: Vec<Moment>,
    /// Whether it has to be looked at again.
    pub(crate) is_open: bool,
}

/// The first look at a run. One that `is_old` was there before anybody watched: what it
/// has come to so far is not told.
pub(crate) fn first_seen(row: &RunRow, is_old: bool, read_at: ReadAt) -> Seen {
    let mut memory = RunMemory {
        first_seen_ms: read_at.answered_ms,
        created_ms: None,
        reopened_ms: None,
        is_started: false,
        candidate: None,
        ended: None,
    };
    if !is_old {
        return seen(memory, row, read_at);
    }
    memory.is_started = row.counts.total_count > 0;
    let end = match row.status() {
        RunStatus::Ended(end) => Some(end),
        RunStatus::NoStates => Some(End::Failed),
        RunStatus::Pending | RunStatus::Unknown => None,
    };
    memory.ended = end.map(|end| Ended { is_old: true, ..Ended::new(end, row.counts, None) });
    Seen { is_open: memory.ended.is_none(), memory, moments: Vec::new() }
}

/// A further look.
pub(crate) fn seen(mut memory: RunMemory, row: &RunRow, read_at: ReadAt) -> Seen {
    let mut moments = Vec::new();
    if !memory.is_started && row.counts.total_count > 0 {
        memory.is_started = true;
        // If it had failed for want of states, that was too early.
        memory.ended = None;
        moments.push(Moment::Started);
    }
    let is_open = match row.status() {
        RunStatus::Pending => {
            memory.candidate = None;
            moments.extend(memory.reopen(row.counts, read_at));
            true
        }
        RunStatus::Ended(end) => {
            moments.extend(memory.end_seen(end, row.counts, read_at));
            memory.candidate.is_some()
        }
        RunStatus::NoStates if memory.ended.is_none() => {
            // A clock that was set back begins anew.
            memory.first_seen_ms = memory.first_seen_ms.min(read_at.answered_ms);
            let is_over = read_at.asked_ms - memory.first_seen_ms >= NO_STATES_MS;
            if is_over {
                moments.push(memory.end_told(End::Failed, row.counts));
            }
            !is_over
        }
        RunStatus::NoStates => false,
        RunStatus::Unknown => {
            memory.candidate = None;
            true
        }
    };
    Seen { memory, moments, is_open }
}

impl RunMemory {
    /// The last end was told with this time.
    pub(crate) fn ended_at(&mut self, at_ms: i64) {
        if let Some(ended) = &mut self.ended {
            ended.at_ms = at_ms;
        }
    }

    /// It is under way, so any end that was told is over.
    fn reopen(&mut self, counts: Counts, read_at: ReadAt) -> Option<Moment> {
        let ended = self.ended.as_mut().filter(|ended| !ended.is_reopened)?;
        let since_first_ms = read_at.answered_ms - self.first_seen_ms;
        // A person's retry is counted among the retried; a join is only one state more.
        let is_join = counts.total_count > ended.counts.total_count
            && counts.retried_count == ended.counts.retried_count;
        if ended.is_old && is_join && (0..FIRST_LOOK_MS).contains(&since_first_ms) {
            // It had not ended at all: the first look fell between a branch and its join.
            self.ended = None;
            return None;
        }
        ended.is_reopened = true;
        Some(Moment::Restarted {
            after_total: ended.counts.total_count,
            after_ms: ended.at_ms,
            repeat: (ended.succeeded + ended.failed).saturating_sub(1),
        })
    }

    /// A row reads as an end: believed when it has read so for long enough.
    fn end_seen(&mut self, end: End, counts: Counts, read_at: ReadAt) -> Vec<Moment> {
        let ReadAt { asked_ms, answered_ms } = read_at;
        let is_told =
            |ended: &Ended| !ended.is_reopened && (ended.end, ended.counts) == (end, counts);
        if self.ended.as_ref().is_some_and(is_told) {
            self.candidate = None;
            return Vec::new();
        }
        let same = self.candidate.filter(|seen| (seen.end, seen.counts) == (end, counts));
        // A clock that was set back begins anew.
        let since_ms = same.map(|seen| seen.since_ms).filter(|since| *since <= answered_ms);
        match since_ms {
            Some(since_ms) if asked_ms - since_ms >= CONFIRM_MS => {
                self.candidate = None;
                let reopened = self.reopen(counts, read_at);
                reopened.into_iter().chain([self.end_told(end, counts)]).collect()
            }
            _ => {
                let since_ms = since_ms.unwrap_or(answered_ms);
                self.candidate = Some(Candidate { end, counts, since_ms });
                Vec::new()
            }
        }
    }

    fn end_told(&mut self, end: End, counts: Counts) -> Moment {
        let before = self.ended.filter(|ended| ended.counts.total_count == counts.total_count);
        let ended = Ended::new(end, counts, before);
        self.ended = Some(ended);
        let told = match end {
            End::Succeeded => ended.succeeded,
            End::Failed => ended.failed,
        };
        Moment::Ended { end, repeat: told - 1 }
    }
}

impl Ended {
    fn new(end: End, counts: Counts, before: Option<Self>) -> Self {
        let (succeeded, failed) = before.map_or((0, 0), |before| (before.succeeded, before.failed));
        let (succeeded, failed) = match end {
            End::Succeeded => (succeeded.saturating_add(1), failed),
            End::Failed => (succeeded, failed.saturating_add(1)),
        };
        Self { end, counts, is_old: false, is_reopened: false, succeeded, failed, at_ms: 0 }
    }
}

#[cfg(test)]
mod tests;
