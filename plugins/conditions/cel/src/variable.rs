//! What a condition can name.

/// The name under which a condition sees the event.
pub const EVENT: &str = "event";
