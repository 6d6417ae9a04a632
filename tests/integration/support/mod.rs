//! What every test needs: a host, a receiver, and a client of the API.

pub(crate) mod api;
pub(crate) mod events;
pub(crate) mod host;
pub(crate) mod plugins;
pub(crate) mod process;
pub(crate) mod receiver;

use std::time::{Duration, Instant};

/// Waits for a condition, not for a time. The deadline is only there to fail.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    within(Duration::from_secs(30), what, look).await
}

/// The same for what takes its time: the deadline is this far away.
pub(crate) async fn within<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "did not come about: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
