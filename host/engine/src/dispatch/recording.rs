//! Writing down how attempts ended, until the database takes it.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{DeliveryStatus, ErrorText, Transition};
use alerts_store::{FinishOutcome, Finished, Store};
use futures_util::future::join_all;

use super::job::Job;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::trouble::TroubleNotes;
use crate::wakes::Wakes;

/// How long to wait after the database failed.
pub(crate) const TROUBLE: Duration = Duration::from_secs(1);

/// What writes results down. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wakes: Wakes,
    pub(crate) trouble: TroubleNotes,
}

impl Recorder {
    /// Writes down how an attempt ended, and does what follows from it.
    pub(crate) async fn record(&self, finished: Finished) -> FinishOutcome {
        let finished = Arc::new(finished);
        let outcome = self.write_down(&finished).await;
        let status = match outcome {
            FinishOutcome::Recorded => finished.transition.status(),
            FinishOutcome::RuleDisabled => {
                self.catalog.refresh(&finished.tenant).await;
                self.trouble.rule_disabled(&finished);
                DeliveryStatus::Dead
            }
            FinishOutcome::LeaseLost => {
                let id = finished.id;
                tracing::warn!(delivery = %id, "another host took this delivery over; its result stands");
                return outcome;
            }
        };
        if status == DeliveryStatus::Dead {
            self.trouble.buried(&finished);
        }
        if status.is_terminal() {
            let status = status.as_str();
            metrics::counter!("alerts_deliveries_finished_total", "status" => status).increment(1);
        }
        if let Some(at) = retry_at(&finished.transition) {
            self.wakes.claims.set(at);
        }
        outcome
    }

    /// Gives back what this host holds, to be due at a time: what is not given back
    /// nobody would work on for as long as this host lives. It goes on by itself
    /// until the database has it.
    ///
    /// Also what it holds only if a commit stands whose answer was lost.
    pub(crate) fn give_back(&self, jobs: Vec<Job>, at: Timestamp) {
        if jobs.is_empty() {
            return;
        }
        let recorder = self.clone();
        tokio::spawn(async move {
            let now = recorder.clock.now();
            for job in jobs {
                let (untried, _hold) = job.given_back(at, now);
                recorder.write_down(&Arc::new(untried)).await;
            }
            recorder.wakes.claims.set(at);
        });
    }

    /// Gives back jobs that are blocked, as old as they were, each with the reason if
    /// it is to tell it. Together, so that they share commits: there may be thousands.
    pub(super) async fn give_back_as_they_were(&self, jobs: Vec<(Job, Option<ErrorText>)>) {
        let now = self.clock.now();
        let writes = jobs.into_iter().map(async |(job, reason)| {
            let released = job.released_as_it_was(reason);
            let (untried, _hold) = job.ended(None, released, now);
            self.write_down(&Arc::new(untried)).await;
        });
        join_all(writes).await;
    }

    async fn write_down(&self, finished: &Arc<Finished>) -> FinishOutcome {
        loop {
            match self.store.finish(finished.clone()).await {
                Ok(outcome) => return outcome,
                // Forgetting it would send the alert again after a restart.
                Err(error) => {
                    tracing::error!(delivery = %finished.id, %error, "result not written down; trying again");
                    self.clock.sleep_until(self.clock.after(TROUBLE)).await;
                }
            }
        }
    }
}

/// When a delivery is due again, if it is.
fn retry_at(transition: &Transition) -> Option<Timestamp> {
    match transition {
        Transition::Retry { at, .. } | Transition::Release { at, .. } => Some(*at),
        Transition::Gone { otherwise, .. } => retry_at(otherwise),
        Transition::Deliver | Transition::Bury { .. } | Transition::Supersede { .. } => None,
    }
}
