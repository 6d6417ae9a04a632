//! `exosphere-alerts restore`: makes a database from a backup.

use std::path::PathBuf;

use alerts_domain::Timestamp;
use alerts_domain::secret::Secret;
use alerts_engine::Entropy;
use alerts_store::{BackupError, restore};

use super::backup::summary;
use super::{Failure, runtime};
use crate::say::say;
use crate::settings::{Database, EncryptionKeys, SettingError};

/// Make a SQLite database from a backup
///
/// The database must not be there yet: move the old one away first, with the files
/// whose names begin like its own (`-wal`, `-shm`). The backup may be of this release
/// or of an older one; its pages, tables and audit logs are looked through before
/// anything is written, and the database has its name only when it is ready.
///
///   exosphere-alerts restore alerts-2026-01-31.backup
///   cp /safe/encryption.key data/        # unless ALERTS_ENCRYPTION_KEYS is set
///   exosphere-alerts serve
///
/// What was waiting then is sent. What was on its way then is due again, and what was
/// delivered since is sent again, with the ids that it had: receivers that drop
/// repetitions see nothing of it. Sessions of that time are ended. An API key that was
/// revoked since is valid again: revoke it once more.
///
/// To Postgres: restore to a SQLite file, then `exosphere-alerts migrate` it.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The database to make [default: sqlite://data/alerts.db]
    #[arg(long, env = "ALERTS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The keys that it will be used with, to see whether they are the backup's
    #[arg(long, env = "ALERTS_ENCRYPTION_KEYS", value_name = "KEYS", hide_env_values = true)]
    encryption_keys: Option<Secret>,
    /// Restore it even if an audit log in it was altered
    #[arg(long)]
    despite_broken_audit: bool,
}

pub(super) fn run(args: Restore) -> Result<(), Failure> {
    let database = Database::parse_or_default(&args.database_url)?;
    let Database::Sqlite { url, file } = &database else {
        return Err(SettingError::new(
            "ALERTS_DATABASE_URL",
            "it names Postgres, and a backup is of SQLite",
            "restore it to a SQLite file, and move that with `exosphere-alerts migrate`",
        )
        .into());
    };
    let keys = EncryptionKeys::read(args.encryption_keys.as_ref(), &database)?;
    let restored =
        runtime()?.block_on(restore(&args.file, url, args.despite_broken_audit, Timestamp::now()));
    let restored = restored.map_err(|error| {
        let advice = match error {
            BackupError::BrokenAudit { .. } => "; --despite-broken-audit restores it as it is",
            _ => "",
        };
        Failure::Other(format!("{error}{advice} (nothing was restored)"))
    })?;
    say(format_args!("{} is restored from {}", file.display(), args.file.display()));
    say(format_args!("  {}", summary(&restored.contents)));
    say(format_args!(
        "  {} deliveries that were on their way are due again; {} sessions and links are ended",
        restored.deliveries_freed, restored.sessions_ended
    ));
    if let Some(advice) = advice_on_keys(&keys, &restored.contents.key_ids) {
        say(format_args!("before a host is started on it: {advice}"));
    }
    Ok(())
}

/// What is to be done before the secrets can be read; none when all keys are at hand.
fn advice_on_keys(keys: &EncryptionKeys, needed: &[String]) -> Option<String> {
    if needed.is_empty() {
        return None;
    }
    let keyring = match keys.open(&Entropy::from_system()) {
        Ok(keyring) => keyring,
        Err(error) => return Some(error.to_string()),
    };
    let has = |id: &String| keyring.ids().any(|ours| ours == id);
    let missing: Vec<&str> = needed.iter().filter(|id| !has(id)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| {
        format!(
            "its secrets are encrypted with `{}`, which is not among the keys at hand; put it there",
            missing.join("`, `")
        )
    })
}
