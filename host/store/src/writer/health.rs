//! How the task that commits fares, for whoever asks whether this host is ready.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::StoreError;

/// How the commits of this host fare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriterHealth {
    /// For how long the oldest write has waited that is not committed yet; none when
    /// nothing is being written.
    pub waiting_for: Option<Duration>,
    /// Why the last group could not be committed; none after one that was.
    pub last_error: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    oldest: Option<Instant>,
    last_error: Option<String>,
}

/// The same as it is kept.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<State>);

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> WriterHealth {
        let state = self.state();
        WriterHealth {
            waiting_for: state.oldest.map(|oldest| oldest.elapsed()),
            last_error: state.last_error.clone(),
        }
    }

    /// A group is in hand, the oldest operation of which waits since then.
    pub(super) fn began(&self, oldest: Option<Instant>) {
        self.state().oldest = oldest;
    }

    /// All of a group's callers are answered.
    pub(super) fn ended(&self) {
        self.state().oldest = None;
    }

    pub(super) fn committed(&self) {
        self.state().last_error = None;
    }

    pub(super) fn failed(&self, error: &StoreError) {
        self.state().last_error = Some(error.to_string());
    }

    /// The task failed, with all that it had in hand.
    pub(super) fn panicked(&self, panic: &(dyn Any + Send)) {
        let detail = message(panic);
        tracing::error!(detail, "the task that commits panicked; it is started again");
        metrics::counter!("alerts_writer_panics_total").increment(1);
        *self.state() = State { oldest: None, last_error: Some(format!("it panicked: {detail}")) };
    }
}

/// What a panic said.
pub(super) fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
