//! What one rule remembers of one run or one group, and how it is written down.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::watch::RunWatch;
use super::window::Window;
use crate::id::EventId;

/// How long a run that ended is remembered, for events that come late.
const REMEMBER_RUN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What one rule remembers of one run or one group. Only `evaluate` changes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    kept: Kept,
    /// When a run that is watched has taken too long.
    pub due_at: Option<Timestamp>,
    /// From when on it says nothing any more.
    pub forget_at: Option<Timestamp>,
    /// The event with which a run that is watched started.
    pub told_by: Option<EventId>,
}

#[derive(Debug, Clone, Default, PartialEq)]
enum Kept {
    #[default]
    Nothing,
    Run(RunWatch),
    // Several times as large as a run's.
    Window(Box<Window>),
}

/// A memory as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenMemory {
    /// A JSON object: some hundred bytes, which change with each event.
    pub state: String,
    /// Of a large window, the part that seldom changes.
    pub older: Older,
}

/// What becomes of the part of a memory that seldom changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Older {
    /// It stays as it was read.
    Unchanged,
    /// This is in its place now.
    Replaced(Vec<u8>),
    /// There is none any more.
    Gone,
}

/// A memory that was written down does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a rule's memory does not read: {0}")]
pub struct MemoryError(String);

impl Memory {
    /// How a memory is written down into which nothing was put yet.
    pub const BLANK: &str = "{}";

    /// Reads a memory but for its times, which are kept beside it.
    ///
    /// # Errors
    /// When the two parts are not what [`Self::written`] has written, together.
    pub fn read(state: &str, older: Option<&[u8]>) -> Result<Self, MemoryError> {
        // Which of the two it is. Older releases wrote the times of a window whole.
        #[derive(Deserialize)]
        struct Kind {
            recent: Option<IgnoredAny>,
            times: Option<IgnoredAny>,
        }
        let broken = |error: serde_json::Error| MemoryError(error.to_string());
        if state == Self::BLANK {
            return Ok(Self::default());
        }
        let kept = match serde_json::from_str(state).map_err(broken)? {
            Kind { recent: None, times: None } => {
                Kept::Run(serde_json::from_str(state).map_err(broken)?)
            }
            Kind { .. } => {
                let head = serde_json::from_str(state).map_err(broken)?;
                let window = Window::from_parts(head, older).ok_or_else(|| {
                    MemoryError("the older part of the window is missing or broken".to_owned())
                })?;
                Kept::Window(window.into())
            }
        };
        Ok(Self { kept, ..Self::default() })
    }

    /// How it is to be written down.
    pub fn written(&self) -> WrittenMemory {
        let text = |json: serde_json::Result<String>| json.unwrap_or_else(|_| Self::BLANK.into());
        let mut older = Older::Unchanged;
        let state = match &self.kept {
            Kept::Nothing => Self::BLANK.to_owned(),
            Kept::Run(watch) => text(serde_json::to_string(watch)),
            Kept::Window(window) => {
                if let Some(moved) = window.moved() {
                    older = match moved.as_slice() {
                        [] => Older::Gone,
                        _ => Older::Replaced(moved.to_bytes()),
                    };
                }
                text(serde_json::to_string(&window.head()))
            }
        };
        WrittenMemory { state, older }
    }

    /// Whether nothing was put into it yet.
    pub fn is_blank(&self) -> bool {
        self.kept == Kept::Nothing
    }

    /// Takes in what is known of the same run under another key. That of a group stays
    /// as it is.
    pub fn merge_run(&mut self, other: &Self) {
        let Kept::Run(watch) = &other.kept else { return };
        if self.run().merge(watch) {
            self.told_by = other.told_by;
        }
    }

    /// As that of a run; a new one where it was none.
    pub(super) fn run(&mut self) -> &mut RunWatch {
        if !matches!(self.kept, Kept::Run(_)) {
            self.kept = Kept::Run(RunWatch::default());
        }
        match &mut self.kept {
            Kept::Run(watch) => watch,
            Kept::Nothing | Kept::Window(_) => unreachable!("it has just been made a run's"),
        }
    }

    /// As that of a group; a new one where it was none.
    pub(super) fn window(&mut self) -> &mut Window {
        if !matches!(self.kept, Kept::Window(_)) {
            self.kept = Kept::Window(Box::default());
        }
        match &mut self.kept {
            Kept::Window(window) => window,
            Kept::Nothing | Kept::Run(_) => unreachable!("it has just been made a group's"),
        }
    }

    /// When to look at a run again, and when to forget it.
    pub(super) fn keep_run(&mut self, due_at: Option<Timestamp>, now: Timestamp) {
        self.due_at = due_at;
        self.forget_at = due_at.is_none().then(|| later(now, REMEMBER_RUN));
    }

    /// When to look at a group again, and when to forget it.
    pub(super) fn keep_group(
        &mut self,
        due_at: Option<Timestamp>,
        wait: SignedDuration,
        now: Timestamp,
    ) {
        self.due_at = due_at;
        self.forget_at = due_at.is_none().then(|| later(now, wait));
    }
}

fn later(from: Timestamp, wait: SignedDuration) -> Timestamp {
    from.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_older_releases_wrote_reads() {
        let counted =
            r#"{"times":[1800000000000000,1800000001000000],"own":[true,false],"alerted_at":null}"#;
        assert!(matches!(Memory::read(counted, None).unwrap().kept, Kept::Window(_)));
        let watched = r#"{"started_at":"2026-01-01T00:00:00Z","ended_at":null,"fired_for":null}"#;
        assert!(matches!(Memory::read(watched, None).unwrap().kept, Kept::Run(_)));
        assert!(Memory::read("{}", None).unwrap().is_blank());
    }

    #[test]
    fn parts_that_do_not_belong_together_are_refused() {
        for state in ["", "[]", "null", r#"{"recent":"?"}"#, r#"{"recent":"","older":3}"#] {
            assert!(Memory::read(state, None).is_err(), "{state}");
        }
        let two_of_three = r#"{"recent":"","older":3}"#;
        assert!(Memory::read(two_of_three, Some(&[2, 2])).is_err());
        assert!(Memory::read(two_of_three, Some(&[2, 2, 2])).is_ok());
        assert!(Memory::read(r#"{"recent":""}"#, Some(&[0xff])).is_ok(), "left from before");
    }
}
