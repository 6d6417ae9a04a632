//! Something of each tenant's, kept in memory while it is used: read by one load
//! for all who ask for it, never replaced by what was read earlier, and forgotten
//! when it is idle or memory is needed for others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alerts_domain::tenant::TenantId;
use alerts_store::StoreError;
use futures_util::FutureExt as _;
use moka::future::Cache;
use moka::ops::compute::{CompResult, Op};
use moka::policy::EvictionPolicy;

/// What is kept takes about so much memory, in bytes: some 100,000 tenants with an
/// endpoint and a rule each, and small beside what the host may hold of deliveries.
const CAPACITY_BYTES: u64 = 128 * 1024 * 1024;
/// No tenant counts for more, or the largest could not be kept at all.
const MAX_WEIGHT_BYTES: usize = 32 * 1024 * 1024;
/// How long what nobody asks for is kept: a tenant whose workflows run hourly is
/// read anew for each, and one that is busy never.
const IDLE: Duration = Duration::from_secs(10 * 60);

/// What knows how much memory it takes.
pub(super) trait Weighed: Send + Sync + 'static {
    /// In bytes, about.
    fn weight_bytes(&self) -> usize;
}

/// What one load came to.
#[derive(Debug)]
struct Known<V> {
    /// When it began, among all loads and all that asked for one.
    began: u64,
    outcome: Result<Arc<V>, StoreError>,
}

impl<V> Clone for Known<V> {
    fn clone(&self) -> Self {
        Self { began: self.began, outcome: self.outcome.clone() }
    }
}

/// One value for each tenant.
#[derive(Debug)]
pub(super) struct TenantCache<V: Weighed> {
    known: Cache<TenantId, Known<V>>,
    /// Counts loads and those that ask, which puts them in an order.
    order: AtomicU64,
}

impl<V: Weighed> TenantCache<V> {
    pub(super) fn new() -> Self {
        let weigher = |_: &TenantId, known: &Known<V>| {
            let bytes = known.outcome.as_ref().map_or(0, |value| value.weight_bytes());
            bytes.min(MAX_WEIGHT_BYTES) as u32
        };
        let known = Cache::builder()
            .max_capacity(CAPACITY_BYTES)
            .weigher(weigher)
            .time_to_idle(IDLE)
            // A tenant seen for the first time is about to be busy: the other policy
            // may not even let it in.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { known, order: AtomicU64::new(0) }
    }

    fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::AcqRel)
    }

    /// The tenant's value, if it is in memory.
    pub(super) fn peek(&self, tenant: &TenantId) -> Option<Arc<V>> {
        // It waits for nothing but upkeep that somebody else is at.
        self.known.get(tenant).now_or_never()??.outcome.ok()
    }

    /// The tenant's value, loaded if need be.
    pub(super) async fn get(
        &self,
        tenant: &TenantId,
        load: impl AsyncFnOnce() -> Result<V, StoreError>,
    ) -> Result<Arc<V>, StoreError> {
        let asked = self.next();
        if let Some(Known { outcome: Ok(value), .. }) = self.known.get(tenant).await {
            return Ok(value);
        }
        self.load_unless(tenant, load, |known| known.outcome.is_ok() || known.began > asked).await
    }

    /// The tenant's value, loaded after this was called: by this call, or by another
    /// that began meanwhile.
    pub(super) async fn refresh(
        &self,
        tenant: &TenantId,
        load: impl AsyncFnOnce() -> Result<V, StoreError>,
    ) -> Result<Arc<V>, StoreError> {
        let asked = self.next();
        self.load_unless(tenant, load, |known| known.began > asked).await
    }

    /// Loads of one tenant come one after another, so what is put here was read
    /// after what it replaces. Those of different tenants do not wait for each other.
    /// A failure too is told to all that asked before it began, and to nobody else.
    async fn load_unless(
        &self,
        tenant: &TenantId,
        load: impl AsyncFnOnce() -> Result<V, StoreError>,
        is_good: impl FnOnce(&Known<V>) -> bool,
    ) -> Result<Arc<V>, StoreError> {
        let computed = self.known.entry(tenant.clone()).and_compute_with(async |entry| {
            if entry.is_some_and(|entry| is_good(entry.value())) {
                return Op::Nop;
            }
            let began = self.next();
            Op::Put(Known { began, outcome: load().await.map(Arc::new) })
        });
        match computed.await {
            CompResult::Inserted(entry)
            | CompResult::ReplacedWith(entry)
            | CompResult::Unchanged(entry)
            | CompResult::Removed(entry) => entry.into_value().outcome,
            CompResult::StillNone(_) => unreachable!("nothing is left as it is but what is there"),
        }
    }

    /// All that is in memory.
    pub(super) fn all(&self) -> Vec<(TenantId, Arc<V>)> {
        let known = self.known.iter();
        known.filter_map(|(tenant, known)| Some(((*tenant).clone(), known.outcome.ok()?))).collect()
    }

    /// Forgets what is idle.
    pub(super) async fn forget_idle(&self) {
        self.known.run_pending_tasks().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    struct Number(u64);

    impl Weighed for Number {
        fn weight_bytes(&self) -> usize {
            // Five of them are too many.
            MAX_WEIGHT_BYTES
        }
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn failed() -> StoreError {
        StoreError::Url("a test's".to_owned())
    }

    #[tokio::test]
    async fn a_load_that_takes_long_keeps_no_other_tenant_waiting() {
        let (cache, gate) = (TenantCache::new(), Semaphore::new(0));
        let slow_tenant = tenant("slow");
        let slow = cache.get(&slow_tenant, async || {
            gate.acquire().await.unwrap().forget();
            Ok(Number(1))
        });
        let other = async {
            let read = cache.get(&tenant("other"), async || Ok(Number(2))).await.unwrap().0;
            gate.add_permits(1);
            read
        };
        let (slow, other) = tokio::join!(slow, other);
        assert_eq!((slow.unwrap().0, other), (1, 2));
    }

    #[tokio::test]
    async fn a_burst_for_one_tenant_is_one_load() {
        let (cache, loads) = (TenantCache::new(), AtomicUsize::new(0));
        let burst = tenant("t");
        let reads = join_all((0..100).map(|_| {
            cache.get(&burst, async || {
                tokio::task::yield_now().await;
                Ok(Number(loads.fetch_add(1, Ordering::SeqCst) as u64))
            })
        }));
        assert!(reads.await.into_iter().all(|read| read.unwrap().0 == 0));
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_was_read_earlier_never_replaces_what_was_read_later() {
        let (cache, gate, stored) = (TenantCache::new(), Semaphore::new(0), AtomicU64::new(1));
        let one = tenant("t");
        // Reads before the change, and comes back after it.
        let early = cache.get(&one, async || {
            let read = stored.load(Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            Ok(Number(read))
        });
        let change = async {
            stored.store(2, Ordering::SeqCst);
            let refreshed = cache.refresh(&one, async || Ok(Number(stored.load(Ordering::SeqCst))));
            let opened = async { gate.add_permits(1) };
            tokio::join!(refreshed, opened).0.unwrap().0
        };
        let (early, changed) = tokio::join!(early, change);
        assert_eq!((early.unwrap().0, changed), (1, 2));
        assert_eq!(cache.peek(&one).unwrap().0, 2, "who changed it reads what was written");
    }

    #[tokio::test]
    async fn changes_at_once_share_loads() {
        let (cache, loads) = (TenantCache::new(), AtomicUsize::new(0));
        let one = tenant("t");
        let refreshed = join_all((0..32).map(|_| {
            cache.refresh(&one, async || {
                tokio::task::yield_now().await;
                Ok(Number(loads.fetch_add(1, Ordering::SeqCst) as u64))
            })
        }));
        assert!(refreshed.await.iter().all(Result::is_ok));
        assert!(loads.load(Ordering::SeqCst) <= 2, "{loads:?}");
    }

    #[tokio::test]
    async fn a_failure_is_told_to_those_who_waited_and_tried_again_for_the_next() {
        let (cache, loads) = (TenantCache::<Number>::new(), AtomicUsize::new(0));
        let one = tenant("t");
        let waiting = join_all((0..100).map(|_| {
            cache.get(&one, async || {
                tokio::task::yield_now().await;
                loads.fetch_add(1, Ordering::SeqCst);
                Err(failed())
            })
        }));
        assert!(waiting.await.iter().all(Result::is_err));
        assert!(loads.load(Ordering::SeqCst) <= 2, "{loads:?}");
        assert!(cache.peek(&one).is_none());
        assert_eq!(cache.get(&one, async || Ok(Number(7))).await.unwrap().0, 7);
    }

    #[tokio::test]
    async fn memory_has_a_bound_and_who_was_seen_last_is_kept() {
        let cache = TenantCache::new();
        for number in 0..20 {
            let name = tenant(&format!("t{number}"));
            cache.get(&name, async || Ok(Number(number))).await.unwrap();
            cache.forget_idle().await;
        }
        let most = CAPACITY_BYTES as usize / MAX_WEIGHT_BYTES;
        assert_eq!(cache.all().len(), most);
        assert!(cache.peek(&tenant("t19")).is_some());
    }
}
