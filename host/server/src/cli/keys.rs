//! `exosphere-alerts keys`: the keys that encrypt secrets at rest.

use alerts_domain::Timestamp;
use alerts_domain::keyring::Keyring;
use alerts_domain::secret::Secret;
use alerts_domain::tenant::TenantId;
use alerts_engine::Entropy;
use alerts_store::{AuditEntry, Store};
use serde_json::json;

use super::{Failure, existing_store, runtime};
use crate::encryption;
use crate::rotation::{Census, check, reseal};
use crate::say::say;
use crate::settings::{Database, EncryptionKeys};

/// Look after the keys that encrypt secrets at rest
#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// Bring everything that is encrypted under a new key, so that the old one can go
    ///
    /// What is encrypted are the endpoints' secrets and the answers kept for an
    /// Idempotency-Key. The secrets themselves stay what they are.
    ///
    /// With SQLite and the key in `encryption.key`: stop the host and run this. A
    /// new key is made and put first in that file, everything is brought under it,
    /// and the old key is taken out.
    ///
    /// With ALERTS_ENCRYPTION_KEYS (always so with Postgres):
    ///  1. Put a new key first and leave the old one in the list, on every host:
    ///     `k2:…,k1:…`; a new key is `k2:$(openssl rand -base64 32)`. Restart them.
    ///  2. Run this with the same list. With Postgres the hosts may run meanwhile.
    ///  3. Take the old key out of the list, on every host.
    ///
    /// First everything is opened; if something does not open, nothing is changed.
    /// Cut off half-way nothing is lost, since both keys open until all is done:
    /// run it again, and it goes on. What was done is in the host's audit log.
    ///
    /// A backup from before opens with the old key alone: keep that one as long.
    #[command(verbatim_doc_comment)]
    Rotate {
        /// Where everything is kept [default: sqlite://data/alerts.db]
        #[arg(long, env = "ALERTS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
        database_url: Option<String>,
        /// The keys: `id:base64,id:base64,…`, the new one first. Better given by
        /// environment: flags show in the list of processes.
        #[arg(long, env = "ALERTS_ENCRYPTION_KEYS", value_name = "KEYS", hide_env_values = true)]
        encryption_keys: Option<Secret>,
    },
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    let Command::Rotate { database_url, encryption_keys } = command;
    let database = Database::parse_or_default(&database_url)?;
    let keys = EncryptionKeys::read(encryption_keys.as_ref(), &database)?;
    runtime()?.block_on(async {
        // With SQLite this keeps hosts and other rotations away from the file of
        // the keys, too.
        let store = existing_store(&database).await?;
        let rotated = rotate(&store, &keys).await;
        store.close().await;
        rotated
    })
}

async fn rotate(store: &Store, keys: &EncryptionKeys) -> Result<(), Failure> {
    let entropy = Entropy::from_system();
    let untouched = |error| Failure::Other(format!("{error} (nothing was changed)"));
    check(store, &keys.open(&entropy)?).await.map_err(untouched)?;

    let keyring = keys.begin_rotation(&entropy)?;
    let (new, olds) = ids(&keyring);
    let again = |error| Failure::Other(format!("{error} (nothing is lost: run it again)"));
    // Before anything is sealed with it: hosts that lack it must not start any more.
    encryption::ensure(store, &keyring, &entropy)
        .await
        .map_err(|error| Failure::Other(format!("{error} (nothing is lost: run it again)")))?;
    let Census { all, old } = check(store, &keyring).await.map_err(again)?;
    if old > 0 {
        let detail = json!({"from": olds, "values": old});
        note(store, "encryption_keys.rotation_started", new, detail).await?;
    }
    let tell = |done| eprintln!("{done} of {old} brought under `{new}`");
    let resealed = reseal(store, &keyring, &entropy, tell).await.map_err(again)?;
    // Once more from the disk, before a key is let go.
    let left = check(store, &keyring).await.map_err(again)?.old;
    if left > 0 {
        return Err(Failure::Other(format!(
            "{left} values were encrypted under an old key meanwhile: put `{new}` first on every \
             host, restart them, and run it again"
        )));
    }
    let detail = json!({"from": olds, "values": resealed});
    note(store, "encryption_keys.rotated", new, detail).await?;
    encryption::forget_old(store, &keyring).await.map_err(Failure::other)?;
    keys.end_rotation()?;
    let olds = olds.join("`, `");
    say(format_args!("all {all} values are under `{new}`; {resealed} were brought there now"));
    say(match keys {
        EncryptionKeys::Given(_) => {
            format!("on every host, `{olds}` can be taken out of ALERTS_ENCRYPTION_KEYS")
        }
        EncryptionKeys::File { path, .. } => {
            format!("`{olds}` was taken out of {}: back that file up anew", path.display())
        }
    });
    Ok(())
}

/// That of the key that encrypts, and those of the others.
fn ids(keyring: &Keyring) -> (&str, Vec<&str>) {
    let mut ids = keyring.ids();
    (ids.next().unwrap_or_default(), ids.collect())
}

async fn note(
    store: &Store,
    action: &str,
    key: &str,
    detail: serde_json::Value,
) -> Result<(), Failure> {
    let entry = AuditEntry {
        actor: "command_line".to_owned(),
        action: action.to_owned(),
        resource: key.to_owned(),
        detail,
    };
    store.note(&TenantId::host(), &entry, Timestamp::now()).await.map_err(Failure::other)
}
