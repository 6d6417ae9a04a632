//! The type of events that is not like the others.

/// The one type that resolves by itself; every other one triggers.
pub(crate) const RESOLVES: &str = "workflow.succeeded";
