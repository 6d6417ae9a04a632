//! Whether this host does its work, and which part of it does not.

use std::time::Duration;

use alerts_store::WriterHealth;

use crate::state::AppState;
use crate::trouble::Trouble;

/// How long a part may take to say how it is. Whoever asks, asks again soon.
const DEADLINE: Duration = Duration::from_secs(2);

/// A commit that takes longer than this is none: the store's own deadline is shorter.
const COMMIT_LATE: Duration = Duration::from_secs(10);
/// Most damaged rows that are named: whoever asks wants to know that there are some.
const MAX_REMARKS: usize = 10;

/// The parts that do not work; none when the host is ready.
pub(crate) async fn troubles(state: &AppState) -> Vec<Trouble> {
    if state.stopping().is_cancelled() {
        return vec![Trouble::new("host", "it is shutting down")];
    }
    let mut troubles: Vec<Trouble> = database(state).await.into_iter().collect();
    troubles.extend(writer(state));
    let engine = state.engine().health().into_iter();
    troubles.extend(engine.map(|trouble| Trouble::new("engine", trouble.to_string())));
    troubles
}

/// Whether what is asked is committed.
fn writer(state: &AppState) -> Option<Trouble> {
    let WriterHealth { waiting_for, last_error } = state.store().writer_health();
    let waiting_for = waiting_for.filter(|waited| *waited > COMMIT_LATE)?;
    if let Some(error) = last_error {
        tracing::debug!(error, "the writer does not commit");
    }
    let detail = format!("nothing was committed for {} seconds", waiting_for.as_secs());
    Some(Trouble::new("writer", detail))
}

/// What does not keep the host from its work, and somebody should look at: stored rows
/// that do not read.
pub(crate) fn remarks(state: &AppState) -> Vec<String> {
    let damaged = state.store().damaged();
    let more = damaged.len().saturating_sub(MAX_REMARKS);
    let mut remarks: Vec<String> = damaged
        .into_iter()
        .take(MAX_REMARKS)
        .map(|row| format!("{} {} does not read, and is left out", row.table, row.id))
        .collect();
    if more > 0 {
        remarks.push(format!("and {more} more; see the log"));
    }
    remarks
}

async fn database(state: &AppState) -> Option<Trouble> {
    match tokio::time::timeout(DEADLINE, state.store().ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => {
            tracing::debug!(%error, "the database does not answer");
            Some(Trouble::new("database", "it does not answer"))
        }
        Err(_) => {
            let detail = format!("it has not answered for {} seconds", DEADLINE.as_secs());
            Some(Trouble::new("database", detail))
        }
    }
}
