//! Looks a backup through, from its first page to its last audit entry, and changes
//! nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sqlx::{AnyConnection, Connection as _, Row as _};

use super::error::BackupError;
use crate::audit_log::{AuditLogs, verify_all};
use crate::dialect::Dialect;
use crate::migrations;
use crate::open::install_drivers;
use crate::sqlite_file::{beside, url_of};
use crate::tables::tables;

/// What every SQLite file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Its size.
    pub bytes: u64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
    /// The ids of the encryption keys without which its secrets are gone.
    pub key_ids: Vec<String>,
    /// The audit logs, followed from their first entry.
    pub audit: AuditLogs,
}

/// Reads a file that nobody writes to.
pub(super) async fn look_through(file: &Path) -> Result<Contents, BackupError> {
    let bytes = begins_well(file)?;
    let log = beside(file, "-wal");
    if log.metadata().is_ok_and(|about| about.len() > 0) {
        let detail = format!(
            "{} stands beside it, so it is the file of a host and not all that this host has \
             stored; make a backup of it",
            log.display()
        );
        return Err(BackupError::NotABackup { file: file.to_owned(), detail });
    }
    install_drivers();
    let damaged = |error: sqlx::Error| BackupError::Damaged {
        file: file.to_owned(),
        detail: error.to_string(),
    };
    // Immutable: SQLite makes no file beside it, and takes no lock.
    let url = url_of(file, "mode=ro&immutable=true")?;
    let mut connection = AnyConnection::connect(&url).await.map_err(damaged)?;
    let found = read(file, bytes, &mut connection).await;
    connection.close().await.map_err(damaged)?;
    found
}

/// The file's size, if it is one of SQLite.
fn begins_well(file: &Path) -> Result<u64, BackupError> {
    let unreadable = BackupError::file("read", file);
    let mut opened = File::open(file).map_err(&unreadable)?;
    let about = opened.metadata().map_err(&unreadable)?;
    let mut beginning = Vec::with_capacity(MAGIC.len());
    if about.is_file() {
        let magic = opened.by_ref().take(MAGIC.len() as u64);
        { magic }.read_to_end(&mut beginning).map_err(&unreadable)?;
    }
    if beginning != MAGIC {
        let detail = "it is no SQLite database".to_owned();
        return Err(BackupError::NotABackup { file: file.to_owned(), detail });
    }
    Ok(about.len())
}

async fn read(
    file: &Path,
    bytes: u64,
    connection: &mut AnyConnection,
) -> Result<Contents, BackupError> {
    let path = || file.to_owned();
    let damaged = |detail: String| BackupError::Damaged { file: path(), detail };
    let refused = |error: sqlx::Error| damaged(error.to_string());
    let verdict = sqlx::query("PRAGMA integrity_check(1)").fetch_one(&mut *connection).await;
    let verdict: String = verdict.and_then(|row| row.try_get(0)).map_err(refused)?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    let unknown = migrations::first_unknown(&mut *connection, Dialect::Sqlite).await;
    let unknown = unknown.map_err(|_| BackupError::NotABackup {
        file: path(),
        detail: "it is a database of something else".to_owned(),
    })?;
    if let Some(detail) = unknown {
        return Err(BackupError::OtherRelease { file: path(), detail });
    }
    let tables = tables(&mut *connection).await.map_err(|error| damaged(error.to_string()))?;
    let mut rows = BTreeMap::new();
    for table in &tables {
        rows.insert(table.name.clone(), table.count(&mut *connection).await?);
    }
    let key_ids = match rows.contains_key("encryption_checks") {
        true => key_ids(&mut *connection).await?,
        // Of a release that wrote none down.
        false => Vec::new(),
    };
    Ok(Contents { bytes, rows, key_ids, audit: verify_all(connection).await? })
}

async fn key_ids(connection: &mut AnyConnection) -> Result<Vec<String>, BackupError> {
    let row = sqlx::query("SELECT checks FROM encryption_checks").fetch_optional(connection);
    let row = row.await.map_err(crate::StoreError::from)?;
    let text: Option<String> =
        row.map(|row| row.try_get("checks")).transpose().map_err(crate::StoreError::from)?;
    let checks: BTreeMap<String, String> =
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    Ok(checks.into_keys().collect())
}
