//! The loop that shows on their rules what conditions failed with.

use std::time::Duration;

use super::supervisor::{BackgroundLoop, Pulse};
use crate::intake::ConditionErrors;

/// Least time between two writes: however many rules fail however often, they cost
/// one small transaction a second.
const GAP: Duration = Duration::from_secs(1);

impl BackgroundLoop for ConditionErrors {
    const NAME: &'static str = "condition_errors";
    const SILENT_AFTER: Duration = Duration::from_secs(60);
    const RESTS_FIRST: bool = true;

    async fn round(&mut self, _: &Pulse) {
        if let Err(error) = self.write().await {
            tracing::warn!(%error, "condition errors could not be shown on their rules");
        }
        // By the machine's clock: it is the database that is spared.
        tokio::time::sleep(GAP).await;
    }

    async fn rest(&mut self) {
        self.noted().await;
    }
}
