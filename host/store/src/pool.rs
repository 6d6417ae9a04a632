//! Bounded sets of connections, none of which can keep a caller waiting for ever:
//! taking one, reading over it and giving it back each have a deadline, and one
//! that misses it is closed.
//!
//! A server that went silent and one that became read-only are much the same:
//! whatever was connected before then is of no use. So the pools of a database
//! share the moment from which on connections are trusted.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _};
use sqlx::any::{AnyPoolOptions, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Either, Execute, Executor, SqlStr};
use tokio::time::timeout;

use crate::dialect::Dialect;

/// How long to wait for a connection before saying that the database is gone.
const ACQUIRE: Duration = Duration::from_secs(3);
/// How long a connection may take to show that it is alive, taken or given back.
/// A round trip takes milliseconds; a server that needs a second is in trouble.
const PROBE: Duration = Duration::from_secs(1);
/// How long one read may take on Postgres. The longest are scans in pages, which
/// take milliseconds.
const READ: Duration = Duration::from_secs(5);
/// What every connection to Postgres is set to, in milliseconds if nothing is
/// said. Locks are held for a commit at most, so one that is not had in a second
/// is held by somebody who is no host. The server ends a statement a little before
/// we stop waiting for it: then we know what became of it. When it hears nothing
/// from a host for ten seconds, it ends its transaction and frees what that has
/// locked. Each is set only where the server knows it.
const POSTGRES_SETTINGS: &str = "SELECT set_config(wanted.name, wanted.value, false)
    FROM (VALUES ('lock_timeout', '1000'), ('statement_timeout', '4000'),
        ('idle_in_transaction_session_timeout', '10000'), ('tcp_user_timeout', '10000'),
        ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'),
        ('tcp_keepalives_count', '3')) AS wanted (name, value)
    JOIN pg_settings ON pg_settings.name = wanted.name";

/// From when on connections are trusted. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust(Arc<Mutex<Option<Instant>>>);

impl Trust {
    /// What is connected by now is of no more use.
    pub(crate) fn begin_anew(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn covers(&self, age: Duration) -> bool {
        let from = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        from.is_none_or(|from| from.elapsed() > age)
    }
}

/// Connections to one database. Cheap to clone; all clones are the same pool.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    dialect: Dialect,
    connections: AnyPool,
    trust: Trust,
}

impl Pool {
    /// Over connections that are made and looked after by `options`.
    pub(crate) fn sqlite(connections: AnyPool) -> Self {
        Self { dialect: Dialect::Sqlite, connections, trust: Trust::default() }
    }

    /// At most `size` connections to a Postgres, made when they are needed.
    pub(crate) fn postgres(url: &str, size: u32, trust: &Trust) -> Result<Self, sqlx::Error> {
        let trusted = trust.clone();
        let connections = AnyPoolOptions::new()
            .acquire_timeout(ACQUIRE)
            .max_connections(size)
            // Instead of sqlx's own test, which has no deadline of its own.
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                let trusted = trusted.clone();
                Box::pin(async move {
                    if !trusted.covers(meta.age) {
                        return Ok(false);
                    }
                    let answered = timeout(PROBE, connection.ping()).await;
                    answered.unwrap_or_else(|_| {
                        trusted.begin_anew();
                        Err(silent(PROBE))
                    })?;
                    Ok(true)
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(POSTGRES_SETTINGS).await.map(drop) })
            })
            .connect_lazy(url)?;
        Ok(Self { dialect: Dialect::Postgres, connections, trust: trust.clone() })
    }

    /// A connection that was alive a moment ago.
    pub(crate) async fn acquire(&self) -> Result<Held, sqlx::Error> {
        let connection = self.connections.acquire().await?;
        Ok(Held { dialect: self.dialect, connection: Some(connection), trust: self.trust.clone() })
    }

    /// Whether the database answers, within a second or so.
    pub(crate) async fn ping(&self) -> Result<(), sqlx::Error> {
        let answered = async {
            let mut held = self.acquire().await?;
            held.ping().await
        };
        timeout(PROBE, answered).await.map_err(|_| silent(PROBE))?
    }

    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }

    /// Reads over a connection of its own, until the deadline.
    async fn read<T>(
        &self,
        read: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut held = self.acquire().await?;
        if self.dialect == Dialect::Sqlite {
            return read(&mut held).await;
        }
        let read = timeout(READ, read(&mut held)).await;
        read.unwrap_or_else(|_| Err(held.lose(READ)))
    }
}

/// A connection that is taken from its pool until this is dropped.
pub(crate) struct Held {
    dialect: Dialect,
    /// Always there until then.
    connection: Option<PoolConnection<Any>>,
    trust: Trust,
}

impl Held {
    /// Closes it instead of giving it back.
    pub(crate) fn give_up(mut self) {
        if let Some(connection) = &mut self.connection {
            connection.close_on_drop();
        }
        // Dropped as it is: asking it whether it is alive is of no use.
        drop(self.connection.take());
    }

    /// It has not answered for so long: it is closed, and with it in time all others
    /// that were made before now.
    pub(crate) fn lose(self, after: Duration) -> sqlx::Error {
        self.trust.begin_anew();
        self.give_up();
        silent(after)
    }
}

impl Deref for Held {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        self.connection.as_deref().expect("it is taken out at the end only")
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        self.connection.as_deref_mut().expect("it is taken out at the end only")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.dialect == Dialect::Sqlite {
            return;
        }
        // sqlx asks a connection that it gets back whether it is alive, and waits
        // for its answer without end; its place in the pool would be lost for good.
        let returned = connection.return_to_pool();
        tokio::spawn(async move {
            if timeout(PROBE, returned).await.is_err() {
                tracing::warn!("a connection to the database went silent; it is closed");
            }
        });
    }
}

/// The error of a database that does not answer.
pub(crate) fn silent(after: Duration) -> sqlx::Error {
    let detail = format!("it gave no answer within {} s", after.as_secs());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, detail))
}

/// Statements that only read: each over a connection of its own.
impl<'p> Executor<'p> for &'p Pool {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<AnyQueryResult, AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let found = self.read(async move |connection: &mut AnyConnection| {
            connection.fetch_many(query).try_collect::<Vec<_>>().await
        });
        found.map_ok(|found| stream::iter(found.into_iter().map(Ok))).try_flatten_stream().boxed()
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.read(async move |connection: &mut AnyConnection| connection.fetch_all(query).await)
            .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<AnyRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        self.read(async move |connection: &mut AnyConnection| {
            connection.fetch_optional(query).await
        })
        .boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [AnyTypeInfo],
    ) -> BoxFuture<'e, Result<AnyStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        self.connections.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Any>, sqlx::Error>>
    where
        'p: 'e,
    {
        self.connections.describe(sql)
    }
}
