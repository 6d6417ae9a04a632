//! The SQLite file of a stopped host, read in batches that fit in memory.

use std::collections::BTreeMap;
use std::fs::File;

use futures_util::TryStreamExt as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

use super::copy_text::push_row;
use super::error::MoveError;
use super::progress::OfTable;
use crate::audit_log::{AuditLogs, verify_all};
use crate::batch::Column as Kind;
use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::left_behind::OF_LIVING_HOSTS;
use crate::migrations;
use crate::open::install_drivers;
use crate::sqlite_file::{self, url_of};
use crate::tables::{Table, tables};

/// Rows in a batch: enough that a commit for each costs nothing next to them.
const BATCH_ROWS: i64 = 5_000;
/// Bytes after which a batch is full, whatever its rows: an event may be a MiB, a plugin
/// many, and a host has little memory.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A stopped host's database, taken so that no host starts on it meanwhile.
pub(super) struct Source {
    connection: AnyConnection,
    /// Those of which rows are moved, in the order in which they can be.
    pub(super) tables: Vec<Table>,
    /// How many rows each has.
    pub(super) counts: BTreeMap<String, u64>,
    /// Differs once a host has worked on it or a command has changed it.
    pub(super) contents: String,
    /// Where it is.
    pub(super) path: String,
    _lock: File,
}

/// Rows that follow each other, as the target takes them.
pub(super) struct Rows {
    pub(super) text: Vec<u8>,
    /// How far their table is with them.
    pub(super) progress: OfTable,
}

impl Source {
    /// Takes the file and brings it to this release's tables, as a start of the host
    /// would.
    pub(super) async fn open(url: &str) -> Result<Self, MoveError> {
        let path = sqlite_file::path(url)?;
        if !path.exists() {
            return Err(MoveError::NoSource(path));
        }
        let failed = |detail: String| StoreError::Open { url: url.to_owned(), detail };
        let lock = sqlite_file::take(&path).map_err(failed)?;
        install_drivers();
        let at = url_of(&path, "mode=rw")?;
        let opened = async {
            let mut connection = AnyConnection::connect(&at).await?;
            // A file without any tables is none of a host, and has nothing to move.
            if let Some(unknown) =
                migrations::first_unknown(&mut connection, Dialect::Sqlite).await?
            {
                return Err(sqlx::Error::Configuration(unknown.into()));
            }
            migrations::apply(&mut connection, Dialect::Sqlite).await?;
            Ok::<_, sqlx::Error>(connection)
        };
        let mut connection = opened.await.map_err(|error| failed(error.to_string()))?;
        let mut tables = tables(&mut connection).await?;
        tables.retain(|table| !OF_LIVING_HOSTS.contains(&table.name.as_str()));
        let mut counts = BTreeMap::new();
        for table in &tables {
            counts.insert(table.name.clone(), table.count(&mut connection).await?);
        }
        let contents = contents(&mut connection, &counts).await?;
        let path = std::path::absolute(&path).unwrap_or(path).display().to_string();
        Ok(Self { connection, tables, counts, contents, path, _lock: lock })
    }

    /// All rows that are moved.
    pub(super) fn rows(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The rows of a table that come after those that were moved.
    pub(super) async fn next(&mut self, table: &Table, at: &OfTable) -> Result<Rows, MoveError> {
        let statement = next_rows(table, at.after.is_some());
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for value in at.after.iter().flatten() {
            query = match value {
                Value::Number(number) => query.bind(number.as_i64().unwrap_or_default()),
                other => query.bind(other.as_str().unwrap_or_default().to_owned()),
            };
        }
        let mut found = query.bind(BATCH_ROWS).fetch(&mut self.connection);
        let (mut text, mut progress, mut rows) = (Vec::new(), at.clone(), 0);
        progress.is_done = true;
        while let Some(row) = found.try_next().await.map_err(StoreError::from)? {
            let key = key_of(table, &row)?;
            push_row(&mut text, &table.columns, &row).map_err(|(column, detail)| {
                let key: Vec<String> = key.iter().map(Value::to_string).collect();
                let detail = format!("{column}: {detail}");
                StoreError::Damaged {
                    table: "row",
                    id: format!("{} ({})", table.name, key.join(", ")),
                    detail,
                }
            })?;
            rows += 1;
            progress.after = Some(key);
            if rows == BATCH_ROWS || text.len() >= BATCH_BYTES {
                progress.is_done = false;
                break;
            }
        }
        progress.rows += u64::try_from(rows).unwrap_or(0);
        Ok(Rows { text, progress })
    }

    /// The audit logs, followed from their first entry.
    pub(super) async fn audit(&mut self) -> Result<AuditLogs, StoreError> {
        verify_all(&mut self.connection).await
    }

    pub(super) async fn close(self) -> Result<(), MoveError> {
        Ok(self.connection.close().await.map_err(StoreError::from)?)
    }
}

/// The columns by which a table is walked. One without a primary key has SQLite's own.
fn walked_by(table: &Table) -> Vec<&str> {
    match table.key.as_slice() {
        [] => vec!["rowid"],
        key => key.iter().map(String::as_str).collect(),
    }
}

fn next_rows(table: &Table, is_begun: bool) -> String {
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let key = walked_by(table);
    let (columns, names) = (columns.join(", "), key.join(", "));
    // Behind the columns, since it may be none of them.
    let mut statement = format!("SELECT {columns}, {names} FROM {}", table.name);
    let places: Vec<String> = (1..=key.len()).map(|place| format!("${place}")).collect();
    if is_begun {
        statement += &format!(" WHERE ({names}) > ({})", places.join(", "));
    }
    let limit = if is_begun { key.len() + 1 } else { 1 };
    statement + &format!(" ORDER BY {names} LIMIT ${limit}")
}

fn key_of(table: &Table, row: &AnyRow) -> Result<Vec<Value>, StoreError> {
    let read = |(index, name): (usize, &str)| {
        let place = table.columns.len() + index;
        let column = table.columns.iter().find(|column| column.name == name);
        Ok(match column.map(|column| column.kind) {
            Some(Kind::Text | Kind::Bytes) => json!(row.try_get::<String, _>(place)?),
            Some(Kind::Number) | None => json!(row.try_get::<i64, _>(place)?),
        })
    };
    walked_by(table).into_iter().enumerate().map(read).collect()
}

/// What tells whether a source is still as it was: which hosts have worked on it (each
/// start of one has an id of its own), its keys, and how much there is of everything.
async fn contents(
    connection: &mut AnyConnection,
    counts: &BTreeMap<String, u64>,
) -> Result<String, StoreError> {
    let hosts = sqlx::query("SELECT id, lease_until FROM hosts ORDER BY id");
    let hosts = hosts.fetch_all(&mut *connection).await?;
    let hosts = hosts
        .iter()
        .map(|row| Ok((row.try_get::<String, _>("id")?, row.try_get::<i64, _>("lease_until")?)));
    let hosts = hosts.collect::<Result<Vec<_>, sqlx::Error>>()?;
    let checks = sqlx::query("SELECT checks FROM encryption_checks").fetch_all(connection).await?;
    let checks = checks.iter().map(|row| row.try_get::<String, _>("checks"));
    let checks = checks.collect::<Result<Vec<_>, sqlx::Error>>()?;
    let told = json!([hosts, checks, counts]).to_string();
    Ok(Sha256::digest(told).iter().map(|byte| format!("{byte:02x}")).collect())
}
