//! Changing the keys that encrypt secrets at rest: everything that is sealed,
//! brought under the key that encrypts now.
//!
//! Safe to be cut off anywhere, and to run beside hosts: a value is replaced only
//! while it is still the one that was opened, and every key of the ring opens
//! until nothing is left under the old ones.

use alerts_domain::endpoint::EndpointSecrets;
use alerts_domain::keyring::{Keyring, OpenError, Sealed};
use alerts_domain::source::SourceSpec;
use alerts_engine::Entropy;
use alerts_store::{SealedKind, SealedRow, Store, StoreError};
use zeroize::Zeroizing;

use crate::api::idempotency;

/// Values that are read, and replaced in one transaction. An answer may be some
/// KiB, and intake must not wait long for its turn to commit.
const PAGE: u32 = 100;

/// Why not everything is under the new key. Nothing is lost then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RotationError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value does not open with any key at hand.
    #[error("{of} does not open: {source}")]
    DoesNotOpen {
        /// Which value.
        of: String,
        /// Why.
        source: OpenError,
    },
}

/// What is sealed, all of it having been opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Census {
    /// All values.
    pub(crate) all: u64,
    /// Those that are not under the key that encrypts now.
    pub(crate) old: u64,
}

/// Opens everything that is sealed, and changes nothing: a wrong key is seen here.
pub(crate) async fn check(store: &Store, keyring: &Keyring) -> Result<Census, RotationError> {
    let mut census = Census::default();
    for kind in SealedKind::ALL {
        let mut pages = Pages::of(store, kind);
        while let Some(page) = pages.next().await? {
            for row in &page {
                open(keyring, kind, row)?;
                census.all += 1;
                census.old += u64::from(!keyring.is_current(&row.sealed));
            }
        }
    }
    Ok(census)
}

/// Seals anew what is not under the key that encrypts now, and tells after each
/// transaction how many that were.
pub(crate) async fn reseal(
    store: &Store,
    keyring: &Keyring,
    entropy: &Entropy,
    tell: impl Fn(u64),
) -> Result<u64, RotationError> {
    let mut resealed = 0;
    for kind in SealedKind::ALL {
        let mut pages = Pages::of(store, kind);
        while let Some(page) = pages.next().await? {
            let old = page.into_iter().filter(|row| !keyring.is_current(&row.sealed));
            let anew = |row: SealedRow| {
                let plain = open(keyring, kind, &row)?;
                let sealed = keyring.seal(&plain, &place(kind, &row)?, entropy.bytes());
                Ok((row, sealed))
            };
            let anew: Vec<(SealedRow, Sealed)> =
                old.map(anew).collect::<Result<_, RotationError>>()?;
            if !anew.is_empty() {
                resealed += store.replace_sealed(kind, &anew).await?;
                tell(resealed);
            }
        }
    }
    Ok(resealed)
}

/// All values of one kind, a page after another.
struct Pages<'a> {
    store: &'a Store,
    kind: SealedKind,
    last: Option<SealedRow>,
}

impl<'a> Pages<'a> {
    fn of(store: &'a Store, kind: SealedKind) -> Self {
        Self { store, kind, last: None }
    }

    async fn next(&mut self) -> Result<Option<Vec<SealedRow>>, StoreError> {
        let page = self.store.list_sealed(self.kind, self.last.as_ref(), PAGE).await?;
        self.last = page.last().cloned();
        Ok(self.last.is_some().then_some(page))
    }
}

fn open(
    keyring: &Keyring,
    kind: SealedKind,
    row: &SealedRow,
) -> Result<Zeroizing<Vec<u8>>, RotationError> {
    let place = place(kind, row)?;
    keyring.open(&row.sealed, &place).map_err(|source| does_not_open(kind, row, source))
}

fn does_not_open(kind: SealedKind, row: &SealedRow, source: OpenError) -> RotationError {
    let SealedRow { tenant, id, .. } = row;
    let of = match kind {
        SealedKind::EndpointSecrets => {
            format!("what holds the secrets of endpoint {id} of tenant `{tenant}`")
        }
        SealedKind::SourceSecret => format!("the secret of source {id} of tenant `{tenant}`"),
        SealedKind::IdempotentAnswer => {
            format!("the answer kept for Idempotency-Key `{id}` of tenant `{tenant}`")
        }
    };
    RotationError::DoesNotOpen { of, source }
}

/// What binds a value to its row.
fn place(kind: SealedKind, row: &SealedRow) -> Result<String, RotationError> {
    match kind {
        SealedKind::EndpointSecrets => {
            let id = row.id.parse().map_err(|_| does_not_open(kind, row, OpenError::Damaged))?;
            Ok(EndpointSecrets::associated_data(&row.tenant, id))
        }
        SealedKind::SourceSecret => {
            let id = row.id.parse().map_err(|_| does_not_open(kind, row, OpenError::Damaged))?;
            Ok(SourceSpec::place_of_secret(&row.tenant, id))
        }
        SealedKind::IdempotentAnswer => Ok(idempotency::place(&row.tenant, &row.id)),
    }
}
