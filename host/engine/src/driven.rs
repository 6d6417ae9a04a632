//! An engine that does nothing by itself: each tick does, one after another and
//! in one order, what the background loops and workers of a running host do at once.

use alerts_domain::Timestamp;
use alerts_domain::id::DeliveryId;
use alerts_store::FinishOutcome;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::parts::Parts;

impl Engine {
    /// All that is to be done at this moment, for an engine made by
    /// [`Self::start_driven`]. Deterministic where clock, transport and
    /// randomness are. What fails keeps nothing else from being done, as no loop
    /// of a running host waits for another; the first error is told at the end.
    ///
    /// Into `ended` goes what became of each result, as it is written down: so
    /// it is known also of a tick that was dropped halfway.
    pub async fn tick(
        &self,
        ended: &mut Vec<(DeliveryId, FinishOutcome)>,
    ) -> Result<(), EngineError> {
        let Parts {
            clock,
            lease,
            strays,
            condition_errors,
            dispatcher,
            catalog,
            deferred,
            timers,
            claims,
            workers,
            limiters,
            stats,
            ..
        } = self.parts();
        let mut outcome = lease.beat().await;
        dispatcher.tidy(clock.now());
        outcome = outcome.and(strays.look().await);
        outcome = outcome.and(condition_errors.write().await);
        outcome = outcome.and(catalog.follow().await);
        outcome = outcome.and(deferred.round(|| ()).await.map(drop));
        outcome = outcome.and(timers.settle_due(|| ()).await.map(drop));
        loop {
            let before = ended.len();
            outcome = outcome.and(claims.round().await.map(drop));
            while let Some(job) = workers.next_job() {
                let id = job.delivery.id;
                ended.push((id, workers.run(job).await));
            }
            if ended.len() == before {
                outcome = outcome.and(limiters.keep().await.map_err(EngineError::from));
                return outcome.and(stats.add_up(|| ()).await);
            }
        }
    }

    /// Settles the timers that are due, as their loop does. Says when one is due next.
    ///
    /// # Errors
    /// The database.
    pub async fn settle_due_timers(&self) -> Result<Option<Timestamp>, EngineError> {
        self.parts().timers.settle_due(|| ()).await
    }

    /// Removes all that is old enough now, as the retention loop does. Says how many
    /// rows that were.
    ///
    /// # Errors
    /// The database; what was removed before stays removed.
    pub async fn remove_old(&self) -> Result<u64, EngineError> {
        self.parts().retention.remove_old(|| ()).await
    }
}
