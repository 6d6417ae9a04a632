//! The store itself: opened, brought to this version's tables, watched, and closed.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{Connection as _, Executor as _};

use crate::damaged::DamagedRows;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::ledger::{Ledger, Ledgers};
use crate::pool::{Pool, Trust};
use crate::writer::{Writer, WriterHealth};
use crate::{migrations, moving, postgres_url, sqlite_file};

/// How long to wait for SQLite's own connection, which others write over too.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long to wait for Postgres at the start: it may be starting too.
const CONNECT: Duration = Duration::from_secs(5);
/// SQLite readers: they share two cores with everything else.
const SQLITE_READERS: u32 = 4;
/// Connections to Postgres from one host, each kind for itself, so that none can
/// take them all from another. Fifteen in all: a hundred hosts fit a large server.
const READERS: u32 = 5;
const CHANGES: u32 = 4;
const BACKGROUND: u32 = 4;
/// One, and another while one that was lost is being closed.
const WRITERS: u32 = 2;
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
    pools: Pools,
    writer: Writer,
    damaged: DamagedRows,
    ledgers: Ledgers,
    trust: Trust,
    /// Held while a SQLite file is open: a second host would take this one's work.
    _lock: Option<File>,
}

/// Who may be kept waiting by whom. On SQLite all that writes shares the one
/// connection that does, and all that reads shares the readers.
struct Pools {
    /// What the API shows.
    readers: Pool,
    /// What people change.
    changes: Pool,
    /// What the host reads and writes by itself: claims, leases, timers.
    background_reads: Pool,
    background_writes: Pool,
    /// What is committed in groups.
    writers: Pool,
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
        install_drivers();
        match Dialect::of(url)? {
            Dialect::Sqlite => Self::open_sqlite(url).await,
            Dialect::Postgres => Self::open_postgres(url).await,
        }
    }

    async fn open_sqlite(url: &str) -> Result<Self, StoreError> {
        let failed = |detail: String| StoreError::Open { url: url.to_owned(), detail };
        let path = sqlite_file::path(url)?;
        let lock = sqlite_file::take(&path).map_err(failed)?;
        let url = format!("sqlite://{}?mode=rw", path.display());
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
            migrations::apply(&mut *writers.acquire().await?, Dialect::Sqlite).await?;
            let readers = options().max_connections(SQLITE_READERS).connect(&url).await?;
            Ok::<_, sqlx::Error>((Pool::sqlite(readers), Pool::sqlite(writers)))
        };
        let (readers, writers) =
            opened.await.map_err(|error| failed(open_error(&error, Some(&path))))?;
        let pools = Pools {
            background_reads: readers.clone(),
            readers,
            changes: writers.clone(),
            background_writes: writers.clone(),
            writers,
        };
        Ok(Self::assemble(Dialect::Sqlite, pools, Trust::default(), Some(lock)))
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let failed = |error: sqlx::Error| StoreError::Open {
            url: postgres_url::shown(url),
            detail: open_error(&error, None),
        };
        let used = postgres_url::for_driver(url)?;
        let migrated = async {
            // Not one of a pool: a migration may take longer than a commit may.
            let one = AnyPoolOptions::new().max_connections(1).acquire_timeout(CONNECT);
            let one = one.connect(&used).await?;
            let mut connection = one.acquire().await?;
            moving::refuse_unfinished(&mut connection).await?;
            migrations::apply(&mut connection, Dialect::Postgres).await?;
            drop(connection);
            one.close().await;
            Ok(())
        };
        migrated.await.map_err(failed)?;
        let trust = Trust::default();
        let pool = |size| Pool::postgres(&used, size, &trust).map_err(failed);
        let background = pool(BACKGROUND)?;
        let pools = Pools {
            readers: pool(READERS)?,
            changes: pool(CHANGES)?,
            background_reads: background.clone(),
            background_writes: background,
            writers: pool(WRITERS)?,
        };
        Ok(Self::assemble(Dialect::Postgres, pools, trust, None))
    }

    fn assemble(dialect: Dialect, pools: Pools, trust: Trust, lock: Option<File>) -> Self {
        let ledgers = Ledgers::new(dialect);
        let writer = Writer::start(dialect, pools.writers.clone(), trust.clone(), ledgers.clone());
        let damaged = DamagedRows::default();
        Self(Arc::new(Inner { dialect, pools, writer, damaged, ledgers, trust, _lock: lock }))
    }

    /// Whether other hosts may work on the same database.
    pub fn is_shared(&self) -> bool {
        self.0.dialect == Dialect::Postgres
    }

    /// Whether the database answers, within a second or so.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.background().ping().await?)
    }

    /// Whether what is asked is committed, without asking the database.
    pub fn writer_health(&self) -> WriterHealth {
        self.0.writer.health()
    }

    /// Writes everything out and lets go of the database.
    pub async fn close(&self) {
        self.0.writer.close().await;
        let Pools { readers, changes, background_reads, background_writes, writers } =
            &self.0.pools;
        for pool in [readers, changes, background_reads, background_writes, writers] {
            pool.close().await;
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// For what is shown to people.
    pub(crate) fn reader(&self) -> &Pool {
        &self.0.pools.readers
    }

    /// For what people change.
    pub(crate) fn changes(&self) -> &Pool {
        &self.0.pools.changes
    }

    /// For what the host reads by itself, so that what people look at does not
    /// keep it waiting.
    pub(crate) fn background(&self) -> &Pool {
        &self.0.pools.background_reads
    }

    /// For what the host writes by itself.
    pub(crate) fn background_writes(&self) -> &Pool {
        &self.0.pools.background_writes
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.0.writer
    }

    pub(crate) fn ledgers(&self) -> &Ledgers {
        &self.0.ledgers
    }

    /// For a transaction of its own.
    pub(crate) fn ledger(&self) -> Ledger {
        self.0.ledgers.begin()
    }

    pub(crate) fn damaged_rows(&self) -> &DamagedRows {
        &self.0.damaged
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.0.trust
    }
}

/// Makes both databases' drivers known, once.
pub(crate) fn install_drivers() {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
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
