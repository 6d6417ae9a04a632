//! Makes a database from a backup. All is done to a copy, which gets the database's name
//! when it is ready: until then there is no database, and a host finds none half made.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use serde_json::json;
use sqlx::{AnyConnection, Connection as _};

use super::check::{Contents, look_through};
use super::error::BackupError;
use crate::audit::{self, AuditEntry};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::private_files::{make_file, publish};
use crate::sqlite_file::{self, beside, url_of};
use crate::{left_behind, migrations, tenant_lock};

/// A database that was made from a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup held.
    pub contents: Contents,
    /// Deliveries that were on their way when it was made. They are due again.
    pub deliveries_freed: u64,
    /// Sessions and portal links of that time. They are ended: it is not known which of
    /// them were ended since.
    pub sessions_ended: u64,
}

/// Makes the SQLite database that `url` names, which is not there yet, from a backup of
/// this release or of an older one. `despite_broken_audit`: also where an audit log in it
/// is broken.
pub async fn restore(
    file: &Path,
    url: &str,
    despite_broken_audit: bool,
    now: Timestamp,
) -> Result<Restored, BackupError> {
    if Dialect::of(url)? == Dialect::Postgres {
        let detail = "a backup is restored to SQLite; from there `migrate` moves it to Postgres";
        return Err(StoreError::Url(detail.to_owned()).into());
    }
    let database = sqlite_file::path(url)?;
    refuse_existing(&database)?;
    let contents = look_through(file).await?;
    if let Some((tenant, seq)) = contents.audit.broken.first().filter(|_| !despite_broken_audit) {
        let (tenant, seq) = (tenant.clone(), *seq);
        return Err(BackupError::BrokenAudit { file: file.to_owned(), tenant, seq });
    }
    let failed = |detail: String| StoreError::Open { url: url.to_owned(), detail };
    let _lock = sqlite_file::lock(&database).map_err(failed)?;
    refuse_existing(&database)?;
    let unfinished = beside(&database, ".restoring");
    let made = make(file, &unfinished, now).await;
    let named = made.and_then(|(deliveries_freed, sessions_ended)| {
        publish(&unfinished, &database).map_err(BackupError::file("written", &database))?;
        Ok(Restored { contents, deliveries_freed, sessions_ended })
    });
    if named.is_err() {
        for rest in ["", "-journal", "-wal", "-shm"] {
            // What failed is what is told.
            let _ = fs::remove_file(beside(&unfinished, rest));
        }
    }
    named
}

fn refuse_existing(database: &Path) -> Result<(), BackupError> {
    // A log that is left alone would be taken for the new database's.
    for ending in ["", "-wal", "-journal"] {
        let path = beside(database, ending);
        if path.try_exists().map_err(BackupError::file("read", &path))? {
            return Err(match sqlite_file::is_taken(database) {
                true => BackupError::InUse(database.to_owned()),
                false => BackupError::Exists {
                    path,
                    advice: "move it away with the files that begin like it, or name another \
                             database",
                },
            });
        }
    }
    Ok(())
}

async fn make(file: &Path, unfinished: &Path, now: Timestamp) -> Result<(u64, u64), BackupError> {
    copy(file, unfinished)?;
    let failed = |error: sqlx::Error| StoreError::Open {
        url: format!("sqlite://{}", unfinished.display()),
        detail: error.to_string(),
    };
    let url = url_of(unfinished, "mode=rw")?;
    let mut connection = AnyConnection::connect(&url).await.map_err(failed)?;
    let prepared = prepare(file, &mut connection, now).await;
    connection.close().await.map_err(failed)?;
    Ok(prepared?)
}

fn copy(file: &Path, unfinished: &Path) -> Result<(), BackupError> {
    let unreadable = BackupError::file("read", file);
    let unwritable = BackupError::file("written", unfinished);
    let mut from = File::open(file).map_err(unreadable)?;
    let mut to = make_file(unfinished).map_err(&unwritable)?;
    // What one that was killed has left.
    to.set_len(0).map_err(&unwritable)?;
    io::copy(&mut from, &mut to).map_err(&unwritable)?;
    Ok(())
}

/// Brings the copy to this release's tables, and frees what hosts and people of the
/// backup's time held.
async fn prepare(
    file: &Path,
    connection: &mut AnyConnection,
    now: Timestamp,
) -> Result<(u64, u64), StoreError> {
    // One file and nothing beside it, also where the backup was made otherwise.
    sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut *connection).await?;
    migrations::apply(&mut *connection, Dialect::Sqlite).await?;
    let mut transaction = connection.begin().await?;
    let deliveries_freed = left_behind::free(&mut transaction, now).await?;
    let mut sessions_ended = 0;
    for ended in ["DELETE FROM sessions", "DELETE FROM portal_links"] {
        sessions_ended += sqlx::query(ended).execute(&mut *transaction).await?.rows_affected();
    }
    let host = TenantId::host();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let entry = AuditEntry {
        actor: "command_line".to_owned(),
        action: "database.restored".to_owned(),
        resource: name.into_owned(),
        detail: json!({"deliveries_freed": deliveries_freed, "sessions_ended": sessions_ended}),
    };
    tenant_lock::hold(&mut transaction, &host).await?;
    audit::append(&mut transaction, &host, &entry, now).await?;
    transaction.commit().await.map_err(StoreError::of_commit)?;
    Ok((deliveries_freed, sessions_ended))
}
