//! What this floor does by itself, beside answering requests.

use std::time::Duration;

use alerts_domain::Timestamp;

use crate::connections::Tls;
use crate::meters;
use crate::state::AppState;

/// How often histograms are drained; between two drains their samples pile up.
const DRAIN_METERS: Duration = Duration::from_secs(5);
/// How often old idempotency keys and ended sessions are looked for, and how old the
/// keys are then.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);
const FORGET_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Begins; ends when the server stops.
pub(crate) fn start(state: &AppState, tls: Option<Tls>) {
    spawn(state, drain_meters());
    spawn(state, forget_idempotency_keys(state.clone()));
    spawn(state, forget_ended_sessions(state.clone()));
    if let Some(tls) = tls {
        spawn(state, tls.follow());
    }
}

fn spawn(state: &AppState, keeper: impl Future<Output = ()> + Send + 'static) {
    let stop = state.stopping().clone();
    tokio::spawn(async move { stop.run_until_cancelled(keeper).await });
}

async fn drain_meters() {
    while let Some(recorder) = meters::recorder() {
        tokio::time::sleep(DRAIN_METERS).await;
        recorder.run_upkeep();
    }
}

async fn forget_idempotency_keys(state: AppState) {
    loop {
        let before = state.now().saturating_sub(FORGET_AFTER).unwrap_or(Timestamp::MIN);
        if let Err(error) = state.store().forget_idempotency_keys(before).await {
            tracing::error!(%error, "old idempotency keys could not be forgotten; trying again");
        }
        tokio::time::sleep(FORGET_EVERY).await;
    }
}

async fn forget_ended_sessions(state: AppState) {
    loop {
        if let Err(error) = state.store().forget_ended_sessions(state.now()).await {
            tracing::error!(%error, "ended sessions could not be forgotten; trying again");
        }
        tokio::time::sleep(FORGET_EVERY).await;
    }
}
