//! Rate limiters on the disk, so that a limit holds across restarts and kills. The
//! scheduler owns them; this writes down where they stand.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::Arc;

use alerts_domain::Timestamp;
use alerts_domain::rate_limit::RateLimit;
use alerts_store::{RateLimiter, Store, StoreError};
use tokio::sync::Mutex;

use super::dispatcher::Dispatcher;
use super::rate::is_slow;
use crate::clock::Clock;
use crate::live::RateLimits;

/// Most limiters that are forgotten at once: some milliseconds of the one writer.
const FORGET: u32 = 500;

/// Keeps the rate limiters. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub(crate) struct Limiters(Arc<Inner>);

struct Inner {
    store: Store,
    dispatcher: Dispatcher,
    clock: Arc<dyn Clock>,
    host_limit: Option<RateLimit>,
    /// What the database has, by scope. One write at a time: whoever waits for it
    /// finds its own start written already.
    kept: Mutex<HashMap<String, Timestamp>>,
}

impl Limiters {
    pub(crate) fn new(
        store: Store,
        dispatcher: Dispatcher,
        clock: Arc<dyn Clock>,
        host_limit: Option<RateLimit>,
    ) -> Self {
        let kept = Mutex::default();
        Self(Arc::new(Inner { store, dispatcher, clock, host_limit, kept }))
    }

    /// Goes on where an earlier process left off.
    pub(crate) async fn restore(&self) -> Result<(), StoreError> {
        let Inner { store, dispatcher, clock, kept, .. } = &*self.0;
        let mut kept = kept.lock().await;
        for RateLimiter { scope, free_at } in store.rate_limiters(clock.now()).await? {
            match scope.parse() {
                Ok(limited) => {
                    dispatcher.restore(limited, free_at);
                    kept.insert(scope, free_at);
                }
                Err(error) => tracing::warn!(error, "a stored rate limiter is left out"),
            }
        }
        Ok(())
    }

    /// Writes down where the limiters stand, if they have moved.
    ///
    /// In a task of its own: it goes on when its caller is dropped, and nobody waits
    /// for a lock whose holder is not polled.
    pub(crate) async fn keep(&self) -> Result<(), StoreError> {
        let limiters = self.clone();
        let writing = tokio::spawn(async move { limiters.write_moved().await });
        match writing.await {
            Ok(written) => written,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime ends, and with it the caller.
            Err(_) => Ok(()),
        }
    }

    async fn write_moved(&self) -> Result<(), StoreError> {
        let Inner { store, dispatcher, clock, kept, .. } = &*self.0;
        let mut kept = kept.lock().await;
        let now = clock.now();
        let held = dispatcher.limiters(now).into_iter();
        let held = held.map(|(limited, free_at)| (limited.to_string(), free_at));
        let moved = held.filter(|(scope, free_at)| kept.get(scope) != Some(free_at));
        let moved: Vec<RateLimiter> =
            moved.map(|(scope, free_at)| RateLimiter { scope, free_at }).collect();
        let are_over = kept.values().any(|free_at| *free_at <= now);
        if moved.is_empty() && !are_over {
            return Ok(());
        }
        store.keep_rate_limiters(&moved, now, FORGET).await?;
        kept.retain(|_, free_at| *free_at > now);
        kept.extend(moved.into_iter().map(|limiter| (limiter.scope, limiter.free_at)));
        Ok(())
    }

    /// Before a start under a slow limit: it is on the disk first, so that a crash does
    /// not forget it. A database that is gone must not keep alerts from leaving.
    pub(super) async fn keep_slow(&self, limits: RateLimits) {
        let RateLimits { tenant, endpoint, rule } = limits;
        let limits = [self.0.host_limit, tenant, endpoint, rule];
        if limits.into_iter().flatten().any(is_slow)
            && let Err(error) = self.keep().await
        {
            tracing::warn!(%error, "rate limiters were not written down; a restart may forget them");
        }
    }
}
