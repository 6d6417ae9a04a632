//! The second floor's other room: what events come from, beside those that are posted.
//!
//! Watches platforms that tell of nothing by themselves, takes in what other programs post in
//! their own words, and makes events of it. They go through the ordinary intake; of rules and
//! deliveries nothing is known here.

mod exosphere;
mod status;
mod webhooks;

pub use exosphere::{ExosphereSettings, ExosphereWatch, Namespaces};
pub use status::{SourceStatus, Trouble};
pub use webhooks::{Incoming, Made, NotTaken, Received, SourceDraft, SourcePatch, WebhookSources};
