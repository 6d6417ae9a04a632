//! Which database: enough of its URL to know what stands beside its file. The
//! rest of the URL is the store's to judge.

use std::path::PathBuf;

use super::error::SettingError;
use super::{DEFAULT_DATABASE, given};

/// Where everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In a file, for one host.
    Sqlite {
        /// As the store takes it.
        url: String,
        /// The path in it.
        file: PathBuf,
    },
    /// On a server, for one or more hosts.
    Postgres {
        /// As the store takes it.
        url: String,
    },
}

impl Database {
    /// The one that is named, or the one that `serve` uses when none is.
    pub(crate) fn parse_or_default(url: &Option<String>) -> Result<Self, SettingError> {
        Self::parse(given(url).unwrap_or(DEFAULT_DATABASE))
    }

    pub(super) fn parse(url: &str) -> Result<Self, SettingError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres { url: url.to_owned() });
        }
        match url.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//")) {
            Some(path) if !path.is_empty() => {
                Ok(Self::Sqlite { url: url.to_owned(), file: path.into() })
            }
            // Not the URL itself: it may hold a password.
            _ => Err(SettingError::new(
                "ALERTS_DATABASE_URL",
                "it names neither SQLite nor Postgres",
                "write sqlite:// and the path of a file, or postgres://user:password@host/database",
            )),
        }
    }

    /// As the store takes it.
    pub fn url(&self) -> &str {
        match self {
            Self::Sqlite { url, .. } | Self::Postgres { url } => url,
        }
    }
}
