//! Brings a database to this version's tables.

use std::collections::BTreeMap;

use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, Row as _};

use crate::dialect::Dialect;

static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Applies what is not applied yet. Where that is nothing, the database is only
/// read: a host needs no right to make tables then.
pub(crate) async fn apply(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<(), sqlx::Error> {
    let migrator = match dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    };
    if is_current(connection, migrator).await {
        return Ok(());
    }
    Ok(migrator.run_direct(None, connection, false).await?)
}

/// Whether exactly these migrations are applied. Whatever stands against it, also
/// that nothing can be read, the migrator has words for.
async fn is_current(connection: &mut AnyConnection, migrator: &Migrator) -> bool {
    let applied = sqlx::query(
        "SELECT version, checksum FROM _sqlx_migrations WHERE success = true ORDER BY version",
    )
    .fetch_all(connection)
    .await;
    let Ok(rows) = applied else { return false };
    let read = |row: &sqlx::any::AnyRow| Ok((row.try_get("version")?, row.try_get("checksum")?));
    let applied: Result<BTreeMap<i64, Vec<u8>>, sqlx::Error> = rows.iter().map(read).collect();
    let ours = migrator.iter().map(|ours| (ours.version, ours.checksum.to_vec()));
    applied.is_ok_and(|applied| applied == ours.collect())
}
