//! Makes a backup beside a host that goes on working.

use std::fs;
use std::path::Path;

use sqlx::{AnyConnection, Connection as _};

use super::check::{Contents, look_through};
use super::error::BackupError;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::install_drivers;
use crate::private_files::{folder_of, make_file, publish};
use crate::sqlite_file::{self, url_of};

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// What it holds, read back from it.
    pub contents: Contents,
}

/// Writes all that the SQLite database at `url` holds at one moment into a new file at
/// `out`, while a host may be writing. The file has its name once it is whole, was read
/// back, and is on the disk.
pub async fn back_up(url: &str, out: &Path) -> Result<Backup, BackupError> {
    if Dialect::of(url)? == Dialect::Postgres {
        let detail = "this makes backups of SQLite; for Postgres use pg_dump";
        return Err(StoreError::Url(detail.to_owned()).into());
    }
    let database = sqlite_file::path(url)?;
    if !database.exists() {
        return Err(BackupError::NoDatabase(database));
    }
    refuse_existing(out)?;
    let unfinished = sqlite_file::beside(out, ".partial");
    let cannot = BackupError::file("written", &unfinished);
    // Private from its first byte on.
    let held = make_file(&unfinished).map_err(&cannot)?;
    if held.try_lock().is_err() {
        let advice = "another backup is being written there; wait for it, or name another file";
        return Err(BackupError::Exists { path: unfinished, advice });
    }
    // What one that was killed has left.
    held.set_len(0).map_err(&cannot)?;
    let made = write(&database, &unfinished, out).await;
    if made.is_err() {
        // What failed is what is told.
        let _ = fs::remove_file(&unfinished);
    }
    made
}

async fn write(database: &Path, unfinished: &Path, out: &Path) -> Result<Backup, BackupError> {
    copy(database, unfinished).await?;
    let contents = look_through(unfinished).await?;
    publish(unfinished, out).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(out),
        _ => BackupError::file("written", out)(error),
    })?;
    Ok(Backup { contents })
}

/// Within one reading transaction, which no writer waits for. (SQLite's backup API
/// begins anew whenever another process has written.)
async fn copy(database: &Path, into: &Path) -> Result<(), BackupError> {
    install_drivers();
    let failed = |error: sqlx::Error| {
        let (path, into) = (database.display(), folder_of(into).display());
        BackupError::Store(StoreError::Open {
            url: format!("sqlite://{path}"),
            detail: format!("{error}; look at the free space of {into} and at who may read {path}"),
        })
    };
    let into = std::path::absolute(into).map_err(BackupError::file("written", into))?;
    let into = into
        .to_str()
        .ok_or_else(|| StoreError::Url(format!("the path {} is not UTF-8", into.display())))?;
    let mut connection =
        AnyConnection::connect(&url_of(database, "mode=ro")?).await.map_err(failed)?;
    let copied = sqlx::query("VACUUM INTO $1").bind(into).execute(&mut connection).await;
    connection.close().await.map_err(failed)?;
    copied.map(drop).map_err(failed)
}

fn refuse_existing(out: &Path) -> Result<(), BackupError> {
    match out.try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(exists(out)),
        Err(error) => Err(BackupError::file("written", out)(error)),
    }
}

fn exists(out: &Path) -> BackupError {
    BackupError::Exists { path: out.to_owned(), advice: "name another file" }
}
