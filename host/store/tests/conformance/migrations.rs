//! Both databases have the same tables, brought about by migrations of the same names.

use std::collections::BTreeSet;

use sqlx::Row as _;

use crate::fixture::Db;

#[test]
fn migrations_have_the_same_numbers_and_names() {
    let names = |migrator: sqlx::migrate::Migrator| -> Vec<(i64, String)> {
        migrator.iter().map(|m| (m.version, m.description.to_string())).collect()
    };
    let sqlite = names(sqlx::migrate!("../../migrations/sqlite"));
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names(sqlx::migrate!("../../migrations/postgres")));
}

#[tokio::test]
async fn tables_have_the_same_columns() {
    let sqlite = columns(
        Db::sqlite().await,
        "SELECT t.name AS t, c.name AS c, c.type AS y FROM sqlite_master AS t
         JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'",
    )
    .await;
    let postgres = columns(
        Db::postgres().await,
        "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c,
                CAST(upper(data_type) AS TEXT) AS y
         FROM information_schema.columns WHERE table_schema = 'public'",
    )
    .await;
    assert_eq!(sqlite, postgres);
}

/// A type of SQLite in the words of Postgres. A key that counts by itself is called
/// INTEGER there, and is as wide as all others.
fn type_of(name: &str) -> String {
    name.replace("BLOB", "BYTEA").replace("INTEGER", "BIGINT")
}

async fn columns(db: Db, query: &'static str) -> BTreeSet<(String, String, String)> {
    let rows = sqlx::query(query).fetch_all(&mut db.connection().await).await.unwrap();
    let text = |row: &sqlx::any::AnyRow, name: &str| row.get::<String, _>(name);
    rows.iter()
        .map(|row| (text(row, "t"), text(row, "c"), type_of(&text(row, "y"))))
        .filter(|(table, _, _)| !table.starts_with('_') && !table.starts_with("sqlite_"))
        .collect()
}
