//! The Postgres that a move fills: that it is empty, how far it is, and what goes in.

use std::collections::BTreeSet;

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use serde_json::json;
use sqlx::{
    AnyConnection, AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _, raw_sql,
};

use super::error::MoveError;
use super::progress::Progress;
use super::source::{Rows, Source};
use crate::audit::{self, AuditEntry};
use crate::audit_log::{AuditLogs, verify_all};
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::install_drivers;
use crate::tables::Table;
use crate::{left_behind, migrations, postgres_url, tenant_lock};

/// There while a move is under way, and until it is verified. One row.
const MARK: &str = "_alerts_move";
/// The database remembers the keys of hosts in a row that the migrations make. A host
/// that was ever started has put something into it.
const UNTOUCHED: &str = "SELECT 1 FROM encryption_checks WHERE checks <> '{}' LIMIT 1";
/// Any number that no other lock of ours has.
const MOVE_LOCK: &str = "SELECT pg_advisory_lock(1635018612)";
/// A move that was killed holds its lock until the server has seen its end.
const LOCK_WAIT: &str = "SET lock_timeout = '5s'";
/// "lock_not_available".
const NOT_HAD: &str = "55P03";

/// The database to be filled.
pub(super) struct Target {
    /// For all but the rows themselves.
    connection: AnyConnection,
    /// For COPY, which is Postgres's own. Holds the lock that keeps other moves away.
    rows: PgConnection,
    pub(super) shown: String,
    /// How far the move is.
    pub(super) progress: Progress,
}

/// A move that was begun earlier.
pub(super) struct Begun {
    source: String,
    contents: String,
    progress: String,
}

/// Refuses a database into which something is being moved.
pub(crate) async fn refuse_unfinished(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    if !has_mark(connection).await? {
        return Ok(());
    }
    let detail = "a SQLite database is being moved into it, and is not whole there yet; run \
                  `exosphere-alerts migrate` again until it says that all is there";
    Err(sqlx::Error::Configuration(detail.into()))
}

async fn has_mark(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let query = "SELECT CAST(count(*) AS BIGINT) AS marks FROM pg_catalog.pg_tables
                 WHERE schemaname = current_schema() AND tablename = $1";
    let row = sqlx::query(query).bind(MARK).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>("marks")? > 0)
}

impl Target {
    pub(super) async fn connect(url: &str) -> Result<Self, MoveError> {
        let shown = postgres_url::shown(url);
        if Dialect::of(url)? != Dialect::Postgres {
            let detail = "a move goes to Postgres: postgres://user:password@host/database";
            return Err(StoreError::Url(detail.to_owned()).into());
        }
        install_drivers();
        let used = postgres_url::for_driver(url)?;
        let failed =
            |error: sqlx::Error| StoreError::Open { url: shown.clone(), detail: error.to_string() };
        let mut connection = AnyConnection::connect(&used).await.map_err(failed)?;
        let mut rows = PgConnection::connect(&used).await.map_err(failed)?;
        // A batch may take longer than what a host asks for.
        connection.execute("SET statement_timeout = 0").await.map_err(failed)?;
        for setting in ["SET statement_timeout = 0", LOCK_WAIT] {
            rows.execute(setting).await.map_err(failed)?;
        }
        if let Err(error) = rows.execute(MOVE_LOCK).await {
            let code = error.as_database_error().and_then(|error| error.code());
            if code.is_none_or(|code| code != NOT_HAD) {
                return Err(failed(error).into());
            }
            let detail = "it runs in this moment; wait for its end".to_owned();
            return Err(MoveError::AnotherMove { target: shown, detail });
        }
        Ok(Self { connection, rows, shown, progress: Progress::default() })
    }

    /// A move that was begun, or none where there is nothing yet. Anything else is
    /// refused. Changes nothing.
    pub(super) async fn look(&mut self) -> Result<Option<Begun>, MoveError> {
        if has_mark(&mut self.connection).await.map_err(StoreError::from)? {
            let row = sqlx::query("SELECT source, contents, progress FROM _alerts_move");
            let row = row.fetch_one(&mut self.connection).await.map_err(StoreError::from)?;
            let text = |name: &str| row.try_get::<String, _>(name).map_err(StoreError::from);
            let (source, contents, progress) =
                (text("source")?, text("contents")?, text("progress")?);
            return Ok(Some(Begun { source, contents, progress }));
        }
        let present = self.tables().await?;
        if present.is_empty() {
            return Ok(None);
        }
        if !present.contains("_sqlx_migrations") {
            let names: Vec<&str> = present.iter().take(3).map(String::as_str).collect();
            return Err(
                self.not_empty(format!("it has tables of something else ({}…)", names.join(", ")))
            );
        }
        let unknown = migrations::first_unknown(&mut self.connection, Dialect::Postgres).await;
        if let Some(detail) = unknown.map_err(StoreError::from)? {
            return Err(MoveError::WrongSchema { target: self.shown.clone(), detail });
        }
        for table in present.iter().filter(|name| *name != "_sqlx_migrations") {
            let any = match table.as_str() {
                "encryption_checks" => UNTOUCHED.to_owned(),
                table => format!("SELECT 1 FROM \"{}\" LIMIT 1", table.replace('"', "\"\"")),
            };
            let any = sqlx::query(AssertSqlSafe(any)).fetch_optional(&mut self.connection).await;
            if any.map_err(StoreError::from)?.is_some() {
                return Err(self.not_empty(format!("there are rows in `{table}`")));
            }
        }
        Ok(None)
    }

    fn not_empty(&self, detail: String) -> MoveError {
        MoveError::NotEmpty { target: self.shown.clone(), detail }
    }

    async fn tables(&mut self) -> Result<BTreeSet<String>, StoreError> {
        let query = "SELECT CAST(tablename AS TEXT) AS name FROM pg_catalog.pg_tables
                     WHERE schemaname = current_schema()";
        let rows = sqlx::query(query).fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
    }

    /// Makes ready for the rows of `source`. Says whether it goes on with what was begun.
    pub(super) async fn begin(
        &mut self,
        begun: Option<Begun>,
        source: &Source,
    ) -> Result<bool, MoveError> {
        match begun {
            Some(begun) if begun.source != source.path => {
                let detail = format!(
                    "one from {} was begun; end that one, or name an empty database",
                    begun.source
                );
                return Err(MoveError::AnotherMove { target: self.shown.clone(), detail });
            }
            // One that has changed since is moved from its beginning: what is there of it
            // is of another moment.
            Some(begun) if begun.contents == source.contents => {
                self.progress = serde_json::from_str(&begun.progress).unwrap_or_default();
            }
            Some(_) => {}
            None => {
                let make =
                    "CREATE TABLE _alerts_move (source TEXT NOT NULL, contents TEXT NOT NULL,
                            progress TEXT NOT NULL)";
                let mut transaction = self.connection.begin().await.map_err(StoreError::from)?;
                transaction.execute(raw_sql(make)).await.map_err(StoreError::from)?;
                sqlx::query("INSERT INTO _alerts_move VALUES ($1, '', '{}')")
                    .bind(source.path.clone())
                    .execute(&mut *transaction)
                    .await
                    .map_err(StoreError::from)?;
                transaction.commit().await.map_err(StoreError::from)?;
            }
        }
        if self.progress.is_begun() {
            return Ok(true);
        }
        migrations::apply(&mut self.connection, Dialect::Postgres).await.map_err(|error| {
            let detail = format!("its tables could not be made: {error}");
            StoreError::Open { url: self.shown.clone(), detail }
        })?;
        self.empty(source).await?;
        Ok(false)
    }

    /// Takes out what the migrations or a move of another moment have put in.
    async fn empty(&mut self, source: &Source) -> Result<(), StoreError> {
        let names: Vec<&str> = source.tables.iter().map(|table| table.name.as_str()).collect();
        let mut transaction = self.connection.begin().await?;
        let truncate = AssertSqlSafe(format!("TRUNCATE {}", names.join(", ")));
        transaction.execute(raw_sql(truncate)).await?;
        sqlx::query("UPDATE _alerts_move SET contents = $1, progress = '{}'")
            .bind(source.contents.clone())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Puts rows in, and how far the move is with them, in one transaction.
    pub(super) async fn take(&mut self, table: &Table, rows: Rows) -> Result<(), StoreError> {
        let mut progress = self.progress.clone();
        progress.set(&table.name, rows.progress);
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let copy = format!("COPY {} ({}) FROM STDIN", table.name, columns.join(", "));
        let mut transaction = self.rows.begin().await?;
        if !rows.text.is_empty() {
            let mut copying = transaction.copy_in_raw(&copy).await?;
            copying.send(rows.text).await?;
            copying.finish().await?;
        }
        sqlx::query("UPDATE _alerts_move SET progress = $1")
            .bind(serde_json::to_string(&progress).unwrap_or_default())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.progress = progress;
        Ok(())
    }

    /// Whether all that the source has is there, by the counts of every table and by every
    /// audit log, each followed in both.
    pub(super) async fn verify(&mut self, source: &mut Source) -> Result<AuditLogs, MoveError> {
        for table in &source.tables {
            let expected = source.counts.get(&table.name).copied().unwrap_or(0);
            let found = table.count(&mut self.connection).await?;
            if found != expected {
                return Err(MoveError::Counts { table: table.name.clone(), expected, found });
            }
        }
        let (expected, found) = (source.audit().await?, verify_all(&mut self.connection).await?);
        if found != expected {
            return Err(MoveError::Audit { expected, found });
        }
        Ok(found)
    }

    /// Frees what the source's hosts held and opens the database to hosts. Says how many
    /// deliveries were freed.
    pub(super) async fn finish(
        &mut self,
        source: &Source,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let counting = sqlx::query(
            "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c
             FROM information_schema.columns
             WHERE table_schema = current_schema() AND is_identity = 'YES'",
        );
        let counting = counting.fetch_all(&mut self.connection).await?;
        let mut transaction = self.connection.begin().await?;
        for row in &counting {
            let (table, column): (String, String) = (row.try_get("t")?, row.try_get("c")?);
            // Numbers that rows have already are not given out again.
            let set = AssertSqlSafe(format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column}))
                 FROM {table} HAVING max({column}) IS NOT NULL"
            ));
            transaction.execute(raw_sql(set)).await?;
        }
        // Here a delivery is in the indexes at once.
        let listed = "UPDATE deliveries SET is_listed = 1 WHERE is_listed = 0";
        transaction.execute(raw_sql(listed)).await?;
        let freed = left_behind::free(&mut transaction, now).await?;
        let host = TenantId::host();
        let entry = AuditEntry {
            actor: "command_line".to_owned(),
            action: "database.moved".to_owned(),
            resource: "postgres".to_owned(),
            detail: json!({"rows": source.rows(), "deliveries_freed": freed}),
        };
        tenant_lock::hold(&mut transaction, &host).await?;
        audit::append(&mut transaction, &host, &entry, now).await?;
        transaction.execute(raw_sql("DROP TABLE _alerts_move")).await?;
        transaction.commit().await.map_err(StoreError::of_commit)?;
        // Postgres would look only later how much there is, and plan badly until then.
        self.connection.execute(raw_sql("ANALYZE")).await?;
        Ok(freed)
    }

    pub(super) async fn close(self) -> Result<(), StoreError> {
        self.connection.close().await?;
        self.rows.close().await?;
        Ok(())
    }
}
