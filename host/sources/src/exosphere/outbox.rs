//! Hands the events that were made to the intake, in their order. They wait in the
//! database until it has them; one that is handed over twice is taken once, by its id.

use alerts_domain::event::Event;
use alerts_domain::tenant::TenantId;
use alerts_engine::{Engine, EngineError};
use alerts_store::{SourceEvent, SourceLease};
use bytes::Bytes;

use super::SOURCE;

/// Events that are handed over in one call.
const AT_ONCE: u32 = 100;

/// Hands over all that wait. False when it is another host's turn.
pub(super) async fn hand_over(engine: &Engine, lease: &SourceLease) -> Result<bool, EngineError> {
    loop {
        let waiting = engine.store().source_events(SOURCE, AT_ONCE).await?;
        let Some(last) = waiting.last() else { return Ok(true) };
        let last = last.number;
        let events: Vec<(TenantId, Event)> = waiting.into_iter().filter_map(readable).collect();
        match engine.intake().accept(events.clone()).await {
            Err(EngineError::TooManyDeliveries { .. }) => one_by_one(engine, events).await?,
            accepted => count(accepted?.iter().filter(|event| !event.duplicate).count()),
        }
        if !engine.store().forget_source_events(lease, last).await? {
            return Ok(false);
        }
    }
}

/// So many deliveries follow that each event needs a call of its own.
async fn one_by_one(engine: &Engine, events: Vec<(TenantId, Event)>) -> Result<(), EngineError> {
    for (tenant, event) in events {
        let id = event.id.clone();
        match engine.intake().accept(vec![(tenant, event)]).await {
            // Nobody could post it either.
            Err(error @ EngineError::TooManyDeliveries { .. }) => {
                tracing::error!(%error, id, "an event of a run is left out");
            }
            accepted => count(accepted?.iter().filter(|event| !event.duplicate).count()),
        }
    }
    Ok(())
}

fn readable(waiting: SourceEvent) -> Option<(TenantId, Event)> {
    let SourceEvent { number, tenant, body } = waiting;
    match Event::from_structured(Bytes::from(body)) {
        Ok(event) => Some((tenant, event)),
        Err(problems) => {
            tracing::error!(number, %tenant, ?problems, "an event of a run is left out");
            None
        }
    }
}

fn count(new: usize) {
    metrics::counter!("alerts_source_events_total", "source" => SOURCE).increment(new as u64);
}
