//! The loop that asks condition plugins again that could not answer.

use std::time::Duration;

use super::supervisor::{BackgroundLoop, Pulse};
use crate::intake::{Deferred, PAUSE};

/// Asks again while anything is left, and else waits until there is.
pub(crate) struct DeferredLoop {
    deferred: Deferred,
    /// How long to leave the plugins alone; none when nothing waits for them.
    pause: Option<Duration>,
}

impl DeferredLoop {
    pub(crate) fn new(deferred: Deferred) -> Self {
        Self { deferred, pause: None }
    }
}

impl BackgroundLoop for DeferredLoop {
    const NAME: &'static str = "deferred";
    /// Of one event; a call of a plugin has a deadline far below it.
    const SILENT_AFTER: Duration = Duration::from_secs(60);

    async fn round(&mut self, pulse: &Pulse) {
        let clock = &self.deferred.clock;
        let began = clock.monotonic();
        let left = self.deferred.round(|| pulse.beat()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "deferred matching failed; trying again");
            true
        });
        // Where very much waits, looking at it is not all that is done.
        let took = clock.monotonic().saturating_sub(began);
        self.pause = left.then_some(PAUSE.max(took));
    }

    async fn rest(&mut self) {
        let Deferred { clock, wakes, .. } = &self.deferred;
        match self.pause {
            Some(pause) => clock.sleep_until(clock.after(pause)).await,
            None => wakes.deferred.notified().await,
        }
    }
}
