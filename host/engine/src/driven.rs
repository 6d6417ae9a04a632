//! An engine that does nothing by itself: each tick does, one after another and
//! in one order, what the keepers and workers of a running host do at once.

use alerts_domain::id::DeliveryId;
use alerts_store::FinishOutcome;

use crate::engine::Engine;
use crate::error::EngineError;

impl Engine {
    /// All that is to be done at this moment, for an engine made by
    /// [`Self::start_driven`]. Deterministic where clock, transport and
    /// randomness are.
    ///
    /// Into `ended` goes what became of each result, as it is written down: so
    /// it is known also of a tick that was dropped halfway.
    pub async fn tick(
        &self,
        ended: &mut Vec<(DeliveryId, FinishOutcome)>,
    ) -> Result<(), EngineError> {
        self.beat().await?;
        self.tidy_lanes();
        self.catalog().follow().await?;
        self.match_deferred().await?;
        self.settle_due_timers().await?;
        loop {
            let before = ended.len();
            self.claim_round().await?;
            while let Some(job) = self.next_job() {
                let id = job.delivery.id;
                ended.push((id, self.clone().run(job).await));
            }
            if ended.len() == before {
                return Ok(());
            }
        }
    }
}
