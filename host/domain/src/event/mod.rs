//! Events: CloudEvents 1.0 as posted, checked once at the door.
//!
//! The bytes are kept as they came; only what the host itself needs is read
//! out. Unknown extension attributes are kept, as the specification asks.

mod attributes;
mod binary;
mod check;
mod cloud_event;
mod content;
mod pattern;
mod stored;
mod structured;
mod time;
mod webhook;

pub use self::cloud_event::Event;
pub(crate) use self::content::json_in;
pub use self::pattern::EventTypePattern;
pub use self::time::told;

/// Largest event, in bytes of JSON: four times what CloudEvents asks every
/// intermediary to carry (64 KiB), small enough to hold thousands in memory.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Most events in one batch: what one group commit takes without a long tail.
pub const MAX_BATCH_EVENTS: usize = 1000;
