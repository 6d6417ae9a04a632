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
    let migrator = of(dialect);
    if is_current(connection, migrator).await {
        return Ok(());
    }
    Ok(migrator.run_direct(None, connection, false).await?)
}

fn of(dialect: Dialect) -> &'static Migrator {
    match dialect {
        Dialect::Sqlite => &SQLITE,
        Dialect::Postgres => &POSTGRES,
    }
}

/// The first applied migration that is none of this release's, in words; none where
/// [`apply`] can bring the rest about.
pub(crate) async fn first_unknown(
    connection: &mut AnyConnection,
    dialect: Dialect,
) -> Result<Option<String>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT version, description, checksum, CAST(CASE WHEN success THEN 1 ELSE 0 END AS BIGINT)
            AS is_whole
         FROM _sqlx_migrations ORDER BY version",
    )
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let (version, is_whole): (i64, i64) = (row.try_get("version")?, row.try_get("is_whole")?);
        let (name, checksum): (String, Vec<u8>) =
            (row.try_get("description")?, row.try_get("checksum")?);
        let problem = match of(dialect).iter().find(|ours| ours.version == version) {
            None => "is not known to this release: a newer one made it",
            Some(ours) if *ours.checksum != *checksum => "is another one than this release's",
            Some(_) if is_whole == 0 => "was cut off half-way",
            Some(_) => continue,
        };
        return Ok(Some(format!("its migration {version} (`{name}`) {problem}")));
    }
    Ok(None)
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
