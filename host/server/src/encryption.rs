//! Whether this host's encryption keys are those of its database. Looked at before
//! anything else is done with it: with other keys no secret opens, and nothing that
//! is due could be sent.

use std::collections::{BTreeMap, BTreeSet};

use alerts_domain::endpoint::EndpointSecrets;
use alerts_domain::keyring::{Keyring, OpenError, Sealed};
use alerts_engine::Entropy;
use alerts_store::{EncryptionChecks, SealedRow, Store, StoreError};

/// What a check value says; only that it opens matters.
const CHECK: &[u8] = b"these are the keys";
/// Binds a check value to its place.
const PLACE: &str = "encryption-check";
/// Rows that are looked at in one go in a database without check values.
const PAGE: u32 = 500;

/// This host must not work on this database.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The database could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key is missing.
    #[error(
        "the database holds secrets that are encrypted with key `{0}`, which is not in \
         ALERTS_ENCRYPTION_KEYS; put that key back into the list, as other hosts of this database \
         have it"
    )]
    Missing(String),
    /// The right id and the wrong key.
    #[error(
        "key `{0}` in ALERTS_ENCRYPTION_KEYS is another one than the key `{0}` that secrets in the \
         database are encrypted with; put the right one there, as other hosts of this database have it"
    )]
    Other(String),
}

/// Sees to it that every key that something in the database is sealed with is at
/// hand, and writes down that this host's first key is in use from now on.
pub(crate) async fn ensure(
    store: &Store,
    keyring: &Keyring,
    entropy: &Entropy,
) -> Result<(), KeysError> {
    loop {
        let read = store.encryption_checks().await?;
        let mut checks = read.clone();
        if checks.is_empty() {
            for id in ids_in_use(store, keyring).await? {
                // It has opened something, so it is in the ring.
                checks.extend(keyring.with_first(&id).map(|ring| (id, check(&ring, entropy))));
            }
        }
        for (id, sealed) in &checks {
            keyring.open(sealed, PLACE).map_err(|error| wrong(id, &error))?;
        }
        let first = keyring.ids().next().unwrap_or_default();
        checks.entry(first.to_owned()).or_insert_with(|| check(keyring, entropy));
        if checks == read || store.replace_encryption_checks(&read, &checks).await? {
            return Ok(());
        }
        // Another host was faster: what it has written is looked at.
    }
}

/// Forgets all keys but the first one, under which everything is by now.
pub(crate) async fn forget_old(store: &Store, keyring: &Keyring) -> Result<(), StoreError> {
    let first = keyring.ids().next().unwrap_or_default();
    loop {
        let read = store.encryption_checks().await?;
        let mut checks: EncryptionChecks = read.clone();
        checks.retain(|id, _| id == first);
        if checks == read || store.replace_encryption_checks(&read, &checks).await? {
            return Ok(());
        }
    }
}

fn check(keyring: &Keyring, entropy: &Entropy) -> Sealed {
    keyring.seal(CHECK, PLACE, entropy.bytes())
}

/// The keys under which a database that an older release has written holds secrets:
/// those that open something. One that opens nothing is the wrong one.
async fn ids_in_use(store: &Store, keyring: &Keyring) -> Result<BTreeSet<String>, KeysError> {
    let (mut right, mut wrongs) = (BTreeSet::new(), BTreeMap::new());
    let mut last: Option<SealedRow> = None;
    loop {
        let page = store.list_sealed_in_use(last.as_ref(), PAGE).await?;
        for row in &page {
            let Some(id) = row.sealed.key_id().filter(|id| !right.contains(*id)) else { continue };
            match open(keyring, row) {
                Ok(()) => drop(right.insert(id.to_owned())),
                Err(error) => drop(wrongs.entry(id.to_owned()).or_insert(error)),
            }
        }
        match page.into_iter().next_back() {
            Some(row) => last = Some(row),
            None => break,
        }
    }
    match wrongs.into_iter().find(|(id, _)| !right.contains(id)) {
        Some((id, error)) => Err(wrong(&id, &error)),
        None => Ok(right),
    }
}

fn open(keyring: &Keyring, row: &SealedRow) -> Result<(), OpenError> {
    let id = row.id.parse().map_err(|_| OpenError::Damaged)?;
    keyring.open(&row.sealed, &EndpointSecrets::associated_data(&row.tenant, id)).map(drop)
}

fn wrong(id: &str, error: &OpenError) -> KeysError {
    match error {
        OpenError::UnknownKey(_) => KeysError::Missing(id.to_owned()),
        OpenError::Damaged => KeysError::Other(id.to_owned()),
    }
}
