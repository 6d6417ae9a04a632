//! The second floor's other room: what events come from, beside those that are posted.
//!
//! Watches platforms that tell of nothing by themselves, and makes events of what is
//! seen. They go through the ordinary intake; of rules and deliveries nothing is known
//! here.

mod exosphere;
mod status;

pub use exosphere::{ExosphereSettings, ExosphereWatch, Namespaces};
pub use status::{SourceStatus, Trouble};
