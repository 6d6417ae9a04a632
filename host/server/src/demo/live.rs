//! The present: the company's runs go on while the demo is up, so that the pages move.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_engine::Engine;

use super::setup::tenant;
use super::{DemoError, workflows};
use crate::say::say;

/// Between two looks at what has happened.
const EVERY: Duration = Duration::from_secs(1);
/// Most events of one start, some days' worth: a demo that was forgotten does not fill the
/// disk.
const MOST_EVENTS: usize = 20_000;

/// Posts what happens after `since`, as it happens.
pub(super) async fn go_on(engine: Engine, since: Timestamp, begun: Timestamp) {
    let (mut since, mut posted) = (since, 0);
    while posted < MOST_EVENTS {
        let now = engine.clock().now();
        // What is not taken now, with the database away for example, is left out.
        match post(&engine, since, now, begun).await {
            Ok(events) => posted += events,
            Err(error) => tracing::warn!(%error, "the demo's events were not accepted"),
        }
        since = now;
        tokio::time::sleep(EVERY).await;
    }
    say(format_args!("Demo: {MOST_EVENTS} events were posted; start it again for more."));
}

async fn post(
    engine: &Engine,
    since: Timestamp,
    now: Timestamp,
    begun: Timestamp,
) -> Result<usize, DemoError> {
    let told = workflows::told(since, now, begun)?;
    let events = told.into_iter().map(|told| Ok((tenant(told.namespace)?, told.event)));
    let events = events.collect::<Result<Vec<_>, DemoError>>()?;
    if events.is_empty() {
        return Ok(0);
    }
    Ok(engine.intake().accept(events).await?.len())
}
