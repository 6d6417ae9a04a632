//! How one part tells a background loop that there is something for it, without
//! knowing the loop.

use std::sync::{Arc, Mutex, PoisonError};

use alerts_domain::Timestamp;
use tokio::sync::Notify;

/// What the background loops listen to. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wakes {
    /// Deliveries are due at a time.
    pub(crate) claims: Arc<Alarm>,
    /// There is a timer, or its rule was changed.
    pub(crate) timers: Arc<Notify>,
    /// Rules wait for a condition plugin.
    pub(crate) deferred: Arc<Notify>,
}

/// A time at which to look, which can be set to an earlier one.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    at: Mutex<Option<Timestamp>>,
    earlier: Notify,
}

impl Alarm {
    /// Rings at this time, or earlier.
    pub(crate) fn set(&self, at: Timestamp) {
        let mut known = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none_or(|known| at < known) {
            *known = Some(at);
            self.earlier.notify_one();
        }
    }

    /// When it rings; none when it is not set.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unsets it: whoever does that looks now.
    pub(crate) fn clear(&self) {
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Ends when it was set to an earlier time than before.
    pub(crate) async fn moved(&self) {
        self.earlier.notified().await;
    }
}
