//! What can go wrong in a database, in the words of the floor above: is it gone,
//! is what it holds damaged, or did we ask it something wrong?

use std::sync::Arc;

/// A database did not do what was asked. But for [`StoreError::InDoubt`], nothing of
/// what was asked is stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that this host can use.
    #[error("the database URL cannot be used: {0}")]
    Url(String),
    /// It could not be opened or brought to this version's tables.
    #[error("the database {url} could not be opened: {detail}")]
    Open {
        /// Without its password.
        url: String,
        /// What to look at.
        detail: String,
    },
    /// It is gone, locked, or out of space. Worth trying again.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The connection was lost while the database committed: what was asked is
    /// stored, or it is not.
    #[error("the database was lost before it said whether it has stored this: {0}")]
    InDoubt(#[source] Arc<sqlx::Error>),
    /// What was being written made this host fail. A bug of ours; nothing of it is
    /// stored.
    #[error("writing this failed: {0}")]
    Panicked(Arc<str>),
    /// The request's `Idempotency-Key` was taken by a later one, which had given this
    /// one up for dead.
    #[error("the request with the Idempotency-Key `{key}` was given up, and done anew by another")]
    Overtaken {
        /// The key.
        key: String,
    },
    /// A stored value does not read. Its row is left alone.
    #[error("{table} {id} is damaged: {detail}")]
    Damaged {
        /// Where it is.
        table: &'static str,
        /// Which row.
        id: String,
        /// What is wrong with it.
        detail: String,
    },
    /// Any other answer: a bug of ours.
    #[error("the database refused a statement: {0}")]
    Refused(#[source] Arc<sqlx::Error>),
}

impl StoreError {
    /// Whether the same may well succeed later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::InDoubt(_))
    }

    /// Whether what was asked may be stored all the same.
    pub fn is_in_doubt(&self) -> bool {
        matches!(self, Self::InDoubt(_))
    }

    /// What a commit ended with. A database that refuses it has stored nothing; one
    /// that is lost, or ends with it, has not said so.
    pub(crate) fn of_commit(error: sqlx::Error) -> Self {
        let is_refusal = error
            .as_database_error()
            .is_some_and(|error| error.code().is_none_or(|code| !leaves_in_doubt(&code)));
        match Self::from(error) {
            Self::Unavailable(lost) if !is_refusal => Self::InDoubt(lost),
            other => other,
        }
    }

    /// Whether another transaction was in the way, and the same will do again.
    pub(crate) fn is_conflict(&self) -> bool {
        self.has_code(|code| code.len() == 5 && code.starts_with("40") && !leaves_in_doubt(code))
    }

    /// Whether this database takes no writes (any more): another one does, or soon will.
    pub(crate) fn is_read_only(&self) -> bool {
        self.has_code(|code| code == "25006")
    }

    fn has_code(&self, is: impl Fn(&str) -> bool) -> bool {
        let (Self::Unavailable(error) | Self::InDoubt(error) | Self::Refused(error)) = self else {
            return false;
        };
        let code = error.as_database_error().and_then(|error| error.code());
        code.is_some_and(|code| is(&code))
    }

    /// A value that does not read.
    pub(crate) fn damaged(
        table: &'static str,
        id: impl ToString,
        detail: impl std::fmt::Display,
    ) -> Self {
        Self::Damaged { table, id: id.to_string(), detail: detail.to_string() }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let passing = match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            // What comes from a proxy that closes, or from a server that starts.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::BeginFailed
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(refused) => {
                refused.code().is_some_and(|code| is_passing_code(&code))
            }
            _ => false,
        };
        let error = Arc::new(error);
        if passing { Self::Unavailable(error) } else { Self::Refused(error) }
    }
}

/// Codes that say "not now". SQLite's are numbers, the low byte of which is the
/// kind; Postgres's are five characters, the first two of which are the class.
fn is_passing_code(code: &str) -> bool {
    /// <https://www.sqlite.org/rescode.html>: busy, locked, no memory, read-only,
    /// I/O error, full, cannot open, protocol, not a database.
    const SQLITE: [u32; 9] = [5, 6, 7, 8, 10, 13, 14, 15, 26];
    /// Appendix A of the Postgres manual: connection, rollback (serialization and
    /// deadlock), resources, operator intervention, system error.
    const POSTGRES: [&str; 5] = ["08", "40", "53", "57", "58"];
    /// Read-only; a transaction that was idle for too long; a lock that was not had
    /// in time.
    const SINGLE: [&str; 3] = ["25006", "25P03", "55P03"];

    if is_of_postgres(code) {
        return POSTGRES.contains(&&code[..2]) || SINGLE.contains(&code);
    }
    code.parse::<u32>().is_ok_and(|code| SQLITE.contains(&(code & 0xff)))
}

/// Codes of a commit that may have been done all the same. Postgres: connection,
/// completion unknown, shutdown or crash while it waited for a replica. SQLite: an
/// I/O error, after which a crash may still find the commit in the log.
fn leaves_in_doubt(code: &str) -> bool {
    if is_of_postgres(code) {
        return code.starts_with("08") || ["40003", "57P01", "57P02"].contains(&code);
    }
    code.parse::<u32>().is_ok_and(|code| code & 0xff == 10)
}

fn is_of_postgres(code: &str) -> bool {
    code.len() == 5 && !code.chars().all(|c| c == '0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_lost_server_are_worth_trying_again() {
        // SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_BUSY; disk full, admin
        // shutdown, lost connection, read-only transaction.
        // A lock that was not had in time, a deadlock.
        for code in ["13", "778", "5", "53100", "57P01", "08006", "25006", "55P03", "40P01"] {
            assert!(is_passing_code(code), "{code}");
        }
    }

    #[test]
    fn a_commit_that_ends_with_its_server_or_with_an_io_error_is_in_doubt() {
        for code in ["57P01", "08006", "40003", "10", "1034"] {
            assert!(leaves_in_doubt(code), "{code}");
        }
        for code in ["40001", "40P01", "53100", "13", "5", "23505"] {
            assert!(!leaves_in_doubt(code), "{code}");
        }
    }

    #[test]
    fn a_proxy_that_accepts_and_closes_is_a_database_that_is_away() {
        let closed = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        for error in [sqlx::Error::Protocol("0x00".into()), closed.into()] {
            assert!(matches!(StoreError::from(error), StoreError::Unavailable(_)));
        }
    }

    #[test]
    fn a_broken_constraint_is_not() {
        for code in ["19", "2067", "1555", "23505", "42P01"] {
            assert!(!is_passing_code(code), "{code}");
        }
    }
}
