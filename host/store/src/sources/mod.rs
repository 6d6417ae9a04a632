//! Sources: what is watched, by which host, and what its watcher remembers.
//!
//! What is in a memory is known to the watcher alone. Whatever a watcher writes is
//! fenced by its lease, so of two that believe to be the one only one is.

mod lease;
mod memory;
mod outbox;

pub use lease::{SourceLease, SourceTurn, WatchedSource};
pub use memory::{Looked, WatchedRun};
pub use outbox::SourceEvent;
