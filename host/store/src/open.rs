//! The store itself: opened, brought to this version's tables, and closed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyPool, Connection as _, Executor as _, Transaction};

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::writer::Writer;

/// How long to wait for a connection before saying that the database is gone.
const ACQUIRE: Duration = Duration::from_secs(5);
/// SQLite readers: they share two cores with everything else.
const SQLITE_READERS: u32 = 4;
/// Connections to Postgres from one host: a hundred hosts fit a usual server.
const POSTGRES_CONNECTIONS: u32 = 16;
/// Set on every SQLite connection. FULL, because with NORMAL a power cut takes
/// acknowledged events back; the cache is in KiB when negative. A page that is
/// changed by every commit is copied from the log once for each checkpoint, so
/// these are four times as far apart as SQLite has them.
const SQLITE_PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8192;
    PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;
    PRAGMA wal_autocheckpoint = 4000;";

/// The database. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    dialect: Dialect,
    readers: AnyPool,
    /// One connection for SQLite, which has one writer; the readers' for Postgres.
    writers: AnyPool,
    writer: Writer,
    /// Held while a SQLite file is open: a second host would take this one's work.
    _lock: Option<File>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("dialect", &self.0.dialect).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens `sqlite://path` (made if it is not there) or `postgres://…`, and
    /// brings it to this version's tables.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        match Dialect::of(url)? {
            Dialect::Sqlite => Self::open_sqlite(url).await,
            Dialect::Postgres => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(url: &str) -> Result<Self, StoreError> {
        let failed = |detail: String| StoreError::Open { url: url.to_owned(), detail };
        let path = sqlite_path(url)?;
        let lock = lock(&path).map_err(failed)?;
        let url = format!("sqlite://{}?mode=rwc", path.display());
        let options = || {
            AnyPoolOptions::new().acquire_timeout(ACQUIRE).test_before_acquire(false).after_connect(
                |connection, _| {
                    Box::pin(async move { connection.execute(SQLITE_PRAGMAS).await.map(drop) })
                },
            )
        };
        let opened = async {
            // Never closed for being idle: the last connection to close writes
            // the whole log back.
            let writers = options()
                // A full disk makes SQLite end a transaction by itself, and sqlx
                // then believes that it still runs. Such a connection is of no
                // more use; the next one is.
                .before_acquire(|connection, _| {
                    Box::pin(async move {
                        connection.ping().await?;
                        Ok(!connection.is_in_transaction())
                    })
                })
                .max_connections(1)
                .min_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect(&url)
                .await?;
            sqlx::migrate!("../../migrations/sqlite").run(&writers).await?;
            let readers = options().max_connections(SQLITE_READERS).connect(&url).await?;
            Ok::<_, sqlx::Error>((readers, writers))
        };
        let (readers, writers) =
            opened.await.map_err(|error| failed(open_error(&error, Some(&path))))?;
        Ok(Self::assemble(Dialect::Sqlite, readers, writers, Some(lock)))
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let opened = async {
            let pool = AnyPoolOptions::new()
                .acquire_timeout(ACQUIRE)
                .max_connections(POSTGRES_CONNECTIONS)
                .connect(url)
                .await?;
            sqlx::migrate!("../../migrations/postgres").run(&pool).await?;
            Ok::<_, sqlx::Error>(pool)
        };
        let pool = opened.await.map_err(|error| StoreError::Open {
            url: without_password(url),
            detail: open_error(&error, None),
        })?;
        Ok(Self::assemble(Dialect::Postgres, pool.clone(), pool, None))
    }

    fn assemble(dialect: Dialect, readers: AnyPool, writers: AnyPool, lock: Option<File>) -> Self {
        let writer = Writer::start(dialect, writers.clone());
        Self(Arc::new(Inner { dialect, readers, writers, writer, _lock: lock }))
    }

    /// Whether other hosts may work on the same database.
    pub fn is_shared(&self) -> bool {
        self.0.dialect == Dialect::Postgres
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut connection = self.reader().acquire().await?;
        Ok(connection.ping().await?)
    }

    /// Writes everything out and lets go of the database.
    pub async fn close(&self) {
        self.0.writer.close().await;
        self.0.readers.close().await;
        self.0.writers.close().await;
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    pub(crate) fn reader(&self) -> &AnyPool {
        &self.0.readers
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.0.writer
    }

    /// A transaction of its own, for what is too rare to be committed in groups.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.0.writers.begin_with(self.0.dialect.begin()).await?)
    }
}

/// The path in a `sqlite:` URL, its folder made.
fn sqlite_path(url: &str) -> Result<PathBuf, StoreError> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    if path.is_empty() || path.contains(['?', '#', '%']) || path == ":memory:" {
        return Err(StoreError::Url(format!(
            "`{url}` must be `sqlite://` and the path of a file, without parameters"
        )));
    }
    let path = PathBuf::from(path);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Open {
            url: url.to_owned(),
            detail: format!("the folder {} cannot be made: {error}", folder.display()),
        })?;
    }
    Ok(path)
}

/// Takes the file for this process. Freed by the system when the process ends,
/// however it ends.
fn lock(database: &Path) -> Result<File, String> {
    let path = database.with_added_extension("lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
    file.try_lock().map_err(|_| {
        "another host has it open; stop that one first, or use Postgres to run several".to_owned()
    })?;
    Ok(file)
}

fn open_error(error: &sqlx::Error, path: Option<&Path>) -> String {
    match (error, path) {
        (sqlx::Error::Migrate(_), _) => {
            format!("its tables could not be brought up to date: {error}")
        }
        (_, Some(path)) => {
            format!("{error}; look at the permissions and the free space of {}", path.display())
        }
        _ => error.to_string(),
    }
}

/// A URL that may be logged.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, address))) => format!("{scheme}://…@{address}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logged_url_holds_no_password() {
        assert_eq!(without_password("postgres://u:p@h:1/d"), "postgres://…@h:1/d");
        assert_eq!(without_password("postgres://h/d"), "postgres://h/d");
    }

    #[test]
    fn a_url_that_names_no_file_is_refused() {
        for url in ["sqlite://", "sqlite::memory:", "sqlite://a.db?mode=ro", "mysql://a"] {
            assert!(Dialect::of(url).and_then(|_| sqlite_path(url)).is_err(), "{url}");
        }
    }
}
