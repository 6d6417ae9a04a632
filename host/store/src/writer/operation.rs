//! What the writer is given: one caller's write, and the way back to the caller.

use std::time::Instant;

use tokio::sync::oneshot;

use crate::accept::StoredId;
use crate::error::StoreError;
use crate::finished::{Ended, FinishOutcome};
use crate::new_event::NewEvent;

pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Something to be written, since when it waits, and who is told.
pub(super) struct Operation {
    pub(super) since: Instant,
    pub(super) work: Work,
}

pub(super) enum Work {
    Accept(Vec<NewEvent>, Answer<Vec<StoredId>>),
    Finish(Box<Ended>, Answer<FinishOutcome>),
    /// Makes the task fail, as a mistake of ours would.
    #[cfg(test)]
    Panic(Answer<()>),
}
