//! What happens without anybody asking: one file for each loop, all under one
//! supervisor, which starts a loop again that panicked and knows which are silent.

pub(crate) mod catalog;
pub(crate) mod claims;
pub(crate) mod condition_errors;
pub(crate) mod deferred;
pub(crate) mod lease;
pub(crate) mod limiters;
pub(crate) mod listing;
pub(crate) mod plugins;
pub(crate) mod retention;
pub(crate) mod stats;
pub(crate) mod strays;
pub(crate) mod supervisor;
pub(crate) mod timers;
pub(crate) mod trouble;

use std::time::Duration;

/// How often other hosts' changes and due work are looked for. Bounds how long
/// another host's change of a rule stays unseen here.
pub(crate) const POLL: Duration = Duration::from_secs(1);
