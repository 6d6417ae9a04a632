//! An engine that does nothing by itself: each tick does, one after another and
//! in one order, what the keepers and workers of a running host do at once.

use alerts_domain::id::DeliveryId;
use alerts_store::FinishOutcome;

use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// All that is to be done at this moment, for an engine made by
    /// [`Self::start_driven`]. Deterministic where clock, transport and
    /// randomness are. What fails keeps nothing else from being done, as no keeper
    /// of a running host waits for another; the first error is told at the end.
    ///
    /// Into `ended` goes what became of each result, as it is written down: so
    /// it is known also of a tick that was dropped halfway.
    pub async fn tick(
        &self,
        ended: &mut Vec<(DeliveryId, FinishOutcome)>,
    ) -> Result<(), EngineError> {
        let mut outcome = self.beat().await;
        self.tidy_lanes();
        outcome = outcome.and(self.catalog().follow().await);
        outcome = outcome.and(self.match_deferred().await.map(drop));
        outcome = outcome.and(self.settle_due_timers().await.map(drop));
        loop {
            let before = ended.len();
            outcome = outcome.and(self.claim_round().await.map(drop));
            while let Some(job) = self.next_job() {
                let id = job.delivery.id;
                ended.push((id, self.clone().run(job).await));
            }
            if ended.len() == before {
                return outcome;
            }
        }
    }
}
