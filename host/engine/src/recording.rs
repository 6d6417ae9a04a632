//! Writing down how attempts ended, until the database takes it.

use std::sync::Arc;
use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::delivery::{DeliveryStatus, Transition};
use alerts_store::{FinishOutcome, Finished};

use crate::dispatch::Job;
use crate::engine::Engine;

/// How long to wait after the database failed.
pub(crate) const TROUBLE: Duration = Duration::from_secs(1);

impl Engine {
    /// Writes down how an attempt ended, and does what follows from it.
    pub(crate) async fn record(&self, finished: Finished) -> FinishOutcome {
        let finished = Arc::new(finished);
        let outcome = self.write_down(&finished).await;
        let status = match outcome {
            FinishOutcome::Recorded => finished.transition.status(),
            FinishOutcome::RuleDisabled => {
                self.catalog().refresh(&finished.tenant).await;
                DeliveryStatus::Dead
            }
            FinishOutcome::LeaseLost => {
                let id = finished.id;
                tracing::warn!(delivery = %id, "another host took this delivery over; its result stands");
                return outcome;
            }
        };
        if status.is_terminal() {
            let status = status.as_str();
            metrics::counter!("alerts_deliveries_finished_total", "status" => status).increment(1);
        }
        if let Some(at) = retry_at(&finished.transition) {
            self.dispatcher().wake_at(at);
        }
        outcome
    }

    /// Gives back what this host holds if a commit stands whose answer was lost:
    /// else nobody would work on it for as long as this host lives. It goes on by
    /// itself until the database has said so.
    pub(crate) fn give_back(&self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let engine = self.clone();
        tokio::spawn(async move {
            let now = engine.clock().now();
            for job in jobs {
                let untried = Transition::Release { at: now, reason: None };
                engine.write_down(&Arc::new(job.ended(None, untried, now))).await;
            }
            engine.dispatcher().wake_at(now);
        });
    }

    async fn write_down(&self, finished: &Arc<Finished>) -> FinishOutcome {
        loop {
            match self.store().finish(finished.clone()).await {
                Ok(outcome) => return outcome,
                // Forgetting it would send the alert again after a restart.
                Err(error) => {
                    tracing::error!(delivery = %finished.id, %error, "result not written down; trying again");
                    self.clock().sleep_until(self.after(TROUBLE)).await;
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
        Transition::Deliver | Transition::Bury { .. } => None,
    }
}
