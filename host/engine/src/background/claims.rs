//! The loop that claims what is due, and starts it.

use std::time::Duration;

use alerts_domain::Timestamp;

use super::POLL;
use super::supervisor::{BackgroundLoop, Pulse};
use crate::dispatch::{Claims, TROUBLE, Workers};

/// Least time between two claims: under a storm of retries, claims batch.
const CLAIM_GAP: Duration = Duration::from_millis(2);

/// Claims as work falls due.
pub(crate) struct ClaimLoop {
    claims: Claims,
    workers: Workers,
    /// When something is due next, as far as the last round has seen.
    next: Option<Timestamp>,
}

impl ClaimLoop {
    pub(crate) fn new(claims: Claims, workers: Workers) -> Self {
        Self { claims, workers, next: None }
    }
}

impl BackgroundLoop for ClaimLoop {
    const NAME: &'static str = "claims";
    /// A claim is one transaction.
    const SILENT_AFTER: Duration = Duration::from_secs(60);

    async fn round(&mut self, _: &Pulse) {
        self.next = self.claims.round().await.unwrap_or_else(|error| {
            tracing::error!(%error, "due deliveries could not be claimed; trying again");
            Some(self.claims.clock.after(TROUBLE))
        });
        self.workers.pump();
    }

    async fn rest(&mut self) {
        tokio::time::sleep(CLAIM_GAP).await;
        let Claims { store, clock, wakes, .. } = &self.claims;
        let poll = store.is_shared().then(|| clock.after(POLL));
        loop {
            let until = [self.next, wakes.claims.at(), poll].into_iter().flatten().min();
            let sleep = async {
                match until {
                    Some(until) => clock.sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => return,
                () = wakes.claims.moved() => {}
            }
        }
    }
}
