//! Why a move did not come to its end.

use std::path::PathBuf;

use crate::audit_log::AuditLogs;
use crate::error::StoreError;

/// A move did not come to its end. The source is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A database could not be used, or was lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such file.
    #[error("there is no database at {}; name the one that the host used", .0.display())]
    NoSource(PathBuf),
    /// Something else is in the target.
    #[error("{target} is not empty: {detail}; make a database of its own (CREATE DATABASE alerts)")]
    NotEmpty {
        /// Without its password.
        target: String,
        /// What is there.
        detail: String,
    },
    /// The target's tables are not those of this release.
    #[error("{target} has tables of another release: {detail}; name an empty database")]
    WrongSchema {
        /// Without its password.
        target: String,
        /// What this release does not know.
        detail: String,
    },
    /// Another move to the same target runs or was begun.
    #[error("{target} is the target of another move: {detail}")]
    AnotherMove {
        /// Without its password.
        target: String,
        /// Which.
        detail: String,
    },
    /// The copy differs from what was copied.
    #[error("table `{table}` has {found} rows in the target and {expected} in the source")]
    Counts {
        /// Which table.
        table: String,
        /// Rows in the source.
        expected: u64,
        /// Rows in the target.
        found: u64,
    },
    /// The audit logs differ from those that were copied.
    #[error("the audit logs differ: the target has {found:?}, the source {expected:?}")]
    Audit {
        /// Those of the source.
        expected: AuditLogs,
        /// Those of the target.
        found: AuditLogs,
    },
}

impl MoveError {
    /// Whether the same may well go on from where it was.
    pub fn is_resumable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_unavailable())
    }
}
