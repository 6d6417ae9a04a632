//! Why there is no backup, or nothing restored. The databases are as they were.

use std::io;
use std::path::{Path, PathBuf};

use alerts_domain::tenant::TenantId;

use crate::error::StoreError;

/// A backup was not made or not restored. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no database to back up.
    #[error("there is no database at {}; name the one that the host uses", .0.display())]
    NoDatabase(PathBuf),
    /// Something has that name already.
    #[error("{} is there already, and is not written over; {advice}", .path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
        /// What to do.
        advice: &'static str,
    },
    /// A host works on the database.
    #[error(
        "a host has {} open: stop it, and move its files away if the backup is to take their place",
        .0.display()
    )]
    InUse(PathBuf),
    /// The system failed to read or write a file.
    #[error("{} cannot be {what}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// `read`, `written`.
        what: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The file holds no database of this program.
    #[error("{} is not a backup of Exosphere Alerts: {detail}", .file.display())]
    NotABackup {
        /// Which.
        file: PathBuf,
        /// What is missing.
        detail: String,
    },
    /// Its tables are not those that this release knows.
    #[error("{} is of another release: {detail}; use the release that made it", .file.display())]
    OtherRelease {
        /// Which.
        file: PathBuf,
        /// What this release does not know.
        detail: String,
    },
    /// The file is not as it was written.
    #[error("{} is damaged: {detail}; use another backup", .file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// An audit log is not as it was written.
    #[error(
        "the audit log of `{tenant}` in {} is broken: entry {seq} was altered or taken out",
        .file.display()
    )]
    BrokenAudit {
        /// Which file.
        file: PathBuf,
        /// Whose log; `*` is the host's own.
        tenant: TenantId,
        /// The first entry that is not as it was written.
        seq: i64,
    },
}

impl BackupError {
    /// A file that the system does not give.
    pub(super) fn file(what: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::File { path: path.clone(), what, error }
    }
}
