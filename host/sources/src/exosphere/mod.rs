//! Exosphere, whose state-manager is asked again and again what became of its runs.
//!
//! How it behaves over HTTP was found out by running it; `fixtures/` has what it answered
//! then, and the tests here read that.

mod answers;
mod details;
mod events;
mod lease;
mod local_time;
mod namespace;
mod outbox;
mod placing;
mod platform;
mod run;
mod settings;
mod trouble;
mod watch;

pub use settings::{ExosphereSettings, Namespaces};
pub use watch::ExosphereWatch;

/// The id of this source.
const SOURCE: &str = "exosphere";
