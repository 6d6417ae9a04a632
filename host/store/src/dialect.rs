//! Where SQLite and Postgres differ, and why. Everything else in this crate is
//! the same text for both.

use std::time::Duration;

use crate::error::StoreError;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// From a URL's scheme.
    pub(crate) fn of(url: &str) -> Result<Self, StoreError> {
        match url.split(':').next() {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => Err(StoreError::Url(
                "it must begin with `sqlite://` or `postgres://`, like sqlite://data/alerts.db"
                    .into(),
            )),
        }
    }

    /// Which one a connection leads to.
    pub(crate) fn of_connection(connection: &sqlx::AnyConnection) -> Self {
        match connection.backend_name() {
            "SQLite" => Self::Sqlite,
            _ => Self::Postgres,
        }
    }

    /// The place of value number `number` in a statement with very many. SQLite
    /// looks numbered places up one after another, which is slow for a thousand
    /// of them; Postgres knows no others.
    pub(crate) fn place(self, number: usize) -> String {
        match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        }
    }

    /// How a transaction that writes begins. SQLite has one writer: taking its
    /// lock at once, and not at the first write, is what keeps a transaction
    /// that has read something from failing as busy.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// What follows a SELECT of rows that are to be claimed. Several hosts claim
    /// at once on Postgres, and each should skip what another has in its hands;
    /// SQLite has one writer, so there is nothing to skip.
    pub(crate) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// A question that is answered with 1 to one transaction at a time, until its end,
    /// and with 0 to the others. SQLite has one writer: it is always its turn.
    pub(crate) fn take_turn(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT CAST(1 AS BIGINT) AS is_ours",
            // The number is any that nothing else in this database uses.
            Self::Postgres => {
                "SELECT CAST(CAST(pg_try_advisory_xact_lock(1635018611) AS INTEGER) AS BIGINT)
                    AS is_ours"
            }
        }
    }

    /// The texts in a JSON array of texts, to be selected from. Each database has
    /// its own function for it.
    pub(crate) fn listed(self, place: &str) -> String {
        match self {
            Self::Sqlite => format!("SELECT value FROM json_each({place})"),
            Self::Postgres => format!("SELECT json_array_elements_text(CAST({place} AS json))"),
        }
    }

    /// How long a transaction may take before its caller is told that there is no
    /// answer. A Postgres that does not answer for so long is replaced by another
    /// connection; a disk cannot be replaced, and one that is slow is waited for.
    pub(crate) fn deadline(self) -> Duration {
        match self {
            Self::Sqlite => Duration::from_secs(30),
            Self::Postgres => Duration::from_secs(5),
        }
    }

    /// What follows a SELECT of a row that is to be changed by what it says.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// What follows a table's name, to have it read through this index. SQLite
    /// keeps no statistics by itself, so a small index that has the same order as
    /// the primary key looks no better to it; Postgres knows, and takes no word.
    pub(crate) fn through(self, index: &str) -> String {
        match self {
            Self::Sqlite => format!(" INDEXED BY {index}"),
            Self::Postgres => String::new(),
        }
    }
}
