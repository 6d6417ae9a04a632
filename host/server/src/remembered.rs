//! What was found in the database by the digest of a key or token, remembered for a
//! while, and never again let in once its end was answered.
//!
//! Two things keep a memory from outliving what it is of:
//! - On this host, whatever ends something forgets it, and what was being read
//!   meanwhile is not remembered.
//! - Where other hosts share the database, each trusts what it has read for
//!   [`TRUSTED`], counted from before it asked. An end is answered that much later: by
//!   then no host has anything left to trust.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use alerts_domain::api_key::KeyDigest;
use alerts_store::{Store, StoreError};
use moka::sync::Cache;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// How long what was read is trusted where other hosts may end it: one read a second
/// for each key in use, and a revocation takes that long.
const TRUSTED: Duration = Duration::from_secs(1);
/// By how much more an end waits: clocks of hosts may run at different speeds, by far
/// less than this within a second.
const MARGIN: Duration = Duration::from_millis(100);
/// How many are remembered; more than are in use at once, at some 300 bytes each.
const KNOWN: u64 = 10_000;
/// Texts that are remembered as being nothing, and for how long: a client that goes
/// on with a revoked key costs no reads.
const UNKNOWN: u64 = 1_000;
const UNKNOWN_FOR: Duration = Duration::from_secs(1);
/// Reads at once for texts that are not remembered, and for known ones that must be
/// read again. Apart, so that guessing keys delays no caller who has one; few, so
/// that the other connections to the database are for what callers ask.
const READS_OF_UNKNOWN: usize = 2;
const READS_OF_KNOWN: usize = 2;
/// How long a caller waits to be known. Only a database that does not answer takes
/// so long.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(5);

/// A key or a session could not be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database did not answer in time.
    #[error("the database did not say within {} seconds who the caller is", LOOKUP_DEADLINE.as_secs())]
    TooLate,
}

/// A memory of what is known by digests.
#[derive(Debug)]
pub(crate) struct Remembered<V: Clone + Send + Sync + 'static> {
    is_shared: bool,
    known: Cache<KeyDigest, Known<V>>,
    unknown: Cache<KeyDigest, ()>,
    /// Counts what was made and ended here. What was read before a change is
    /// remembered only if there was no change until then.
    changes: RwLock<u64>,
    reads_of_known: Semaphore,
    reads_of_unknown: Semaphore,
}

/// Something as it was read.
#[derive(Debug, Clone)]
struct Known<V> {
    value: V,
    /// From before the database was asked.
    asked_at: Instant,
}

impl<V: Clone + Send + Sync + 'static> Remembered<V> {
    /// Of what is in this database.
    pub(crate) fn of(store: &Store) -> Self {
        Self {
            is_shared: store.is_shared(),
            known: Cache::new(KNOWN),
            unknown: Cache::builder().max_capacity(UNKNOWN).time_to_live(UNKNOWN_FOR).build(),
            changes: RwLock::new(0),
            reads_of_known: Semaphore::new(READS_OF_KNOWN),
            reads_of_unknown: Semaphore::new(READS_OF_UNKNOWN),
        }
    }

    /// What has this digest. `read` is what asks the database, if it must be asked.
    pub(crate) async fn get(
        &self,
        digest: &KeyDigest,
        read: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<V>, LookupError> {
        if let Some(answer) = self.remembered(digest) {
            return Ok(answer);
        }
        let looked_up = tokio::time::timeout(LOOKUP_DEADLINE, self.look_up(digest, read));
        looked_up.await.map_err(|_| LookupError::TooLate)?
    }

    /// What is known of the digest without asking; none when the database must say.
    fn remembered(&self, digest: &KeyDigest) -> Option<Option<V>> {
        match self.known.get(digest) {
            Some(known) if self.is_trusted(&known) => Some(Some(known.value)),
            Some(_) => None,
            None => self.unknown.get(digest).map(|()| None),
        }
    }

    fn is_trusted(&self, known: &Known<V>) -> bool {
        !self.is_shared || known.asked_at.elapsed() < TRUSTED
    }

    async fn look_up(
        &self,
        digest: &KeyDigest,
        read: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<V>, LookupError> {
        let reads = match self.known.contains_key(digest) {
            true => &self.reads_of_known,
            false => &self.reads_of_unknown,
        };
        // Never closed.
        let _turn = reads.acquire().await.map_err(|_| LookupError::TooLate)?;
        // Those that waited for the same have it now.
        if let Some(answer) = self.remembered(digest) {
            return Ok(answer);
        }
        let changes = *self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let asked_at = Instant::now();
        let found = read.await?;
        let unchanged = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        if *unchanged == changes {
            match &found {
                Some(value) => self.known.insert(*digest, Known { value: value.clone(), asked_at }),
                None => {
                    self.known.invalidate(digest);
                    self.unknown.insert(*digest, ());
                }
            }
        }
        Ok(found)
    }

    /// Forgets what is known of a digest, and what is being read now.
    pub(crate) fn forget(&self, digest: &KeyDigest) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        *changes += 1;
        self.known.invalidate(digest);
        self.unknown.invalidate(digest);
    }

    /// The same for all digests.
    pub(crate) fn forget_all(&self) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        *changes += 1;
        self.known.invalidate_all();
        self.unknown.invalidate_all();
    }

    /// Ends once no other host has anything left to trust that it read before now.
    pub(crate) async fn no_longer_trusted(&self) {
        if self.is_shared {
            tokio::time::sleep(TRUSTED + MARGIN).await;
        }
    }
}
