//! Whether this host does its work, and which part of it does not.

use std::time::Duration;

use crate::state::AppState;

/// How long a part may take to say how it is. Whoever asks, asks again soon.
const DEADLINE: Duration = Duration::from_secs(2);

/// A part that does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Which part; names no tenant.
    pub(crate) part: &'static str,
    /// What is wrong with it, in words for everybody: no key is asked for.
    pub(crate) detail: String,
}

impl Trouble {
    fn new(part: &'static str, detail: impl Into<String>) -> Self {
        Self { part, detail: detail.into() }
    }
}

/// The parts that do not work; none when the host is ready.
pub(crate) async fn troubles(state: &AppState) -> Vec<Trouble> {
    if state.stopping().is_cancelled() {
        return vec![Trouble::new("host", "it is shutting down")];
    }
    database(state).await.into_iter().collect()
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
