//! The tables of a SQLite database, as the database itself tells them: whatever goes by
//! this list leaves out no table and no column that a migration has added.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::batch::Column as Kind;
use crate::error::StoreError;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    /// The columns by which its rows are walked in order; none for a table without a
    /// primary key.
    pub(crate) key: Vec<String>,
    /// The tables that its rows refer to.
    parents: BTreeSet<String>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// Every table but those of SQLite and of the migrations, each after those that its rows
/// refer to.
pub(crate) async fn tables(connection: &mut AnyConnection) -> Result<Vec<Table>, StoreError> {
    let names = sqlx::query(
        "SELECT name FROM sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations'
         ORDER BY name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tables = Vec::with_capacity(names.len());
    for row in &names {
        tables.push(table(&mut *connection, row.try_get("name")?).await?);
    }
    Ok(parents_first(tables))
}

async fn table(connection: &mut AnyConnection, name: String) -> Result<Table, StoreError> {
    let columns = sqlx::query("SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid")
        .bind(name.clone())
        .fetch_all(&mut *connection)
        .await?;
    let mut key: Vec<(i64, String)> = Vec::new();
    let mut read = |row: &AnyRow| {
        let (column, place): (String, i64) = (row.try_get("name")?, row.try_get("pk")?);
        if place > 0 {
            key.push((place, column.clone()));
        }
        let kind = kind_of(&name, &column, &row.try_get::<String, _>("type")?)?;
        Ok::<_, StoreError>(Column { name: column, kind })
    };
    let columns = columns.iter().map(&mut read).collect::<Result<Vec<_>, _>>()?;
    key.sort();
    let parents = sqlx::query("SELECT \"table\" AS parent FROM pragma_foreign_key_list($1)")
        .bind(name.clone())
        .fetch_all(&mut *connection)
        .await?;
    let parents = parents.iter().map(|row| row.try_get("parent"));
    let parents = parents.collect::<Result<_, sqlx::Error>>()?;
    let key = key.into_iter().map(|(_, column)| column).collect();
    Ok(Table { name, columns, key, parents })
}

fn kind_of(table: &str, column: &str, declared: &str) -> Result<Kind, StoreError> {
    match declared {
        "TEXT" => Ok(Kind::Text),
        "BIGINT" | "INTEGER" => Ok(Kind::Number),
        "BLOB" => Ok(Kind::Bytes),
        other => Err(StoreError::Damaged {
            table: "sqlite_schema",
            id: format!("{table}.{column}"),
            detail: format!("no column of this program is of the type `{other}`"),
        }),
    }
}

fn parents_first(mut tables: Vec<Table>) -> Vec<Table> {
    let mut sorted: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits_for =
            |table: &Table| tables.iter().any(|other| table.parents.contains(&other.name));
        // None is ready where tables refer to each other in a ring.
        let next = tables.iter().position(|table| !waits_for(table)).unwrap_or(0);
        sorted.push(tables.remove(next));
    }
    sorted
}

impl Table {
    /// How many rows it has.
    pub(crate) async fn count(&self, connection: &mut AnyConnection) -> Result<u64, StoreError> {
        let statement = format!("SELECT count(*) AS number FROM {}", self.name);
        let row = sqlx::query(AssertSqlSafe(statement)).fetch_one(connection).await?;
        let number: i64 = row.try_get("number")?;
        Ok(u64::try_from(number).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_after_those_that_its_rows_refer_to() {
        let table = |name: &str, parents: &[&str]| Table {
            name: name.to_owned(),
            columns: Vec::new(),
            key: Vec::new(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
        };
        let sorted = parents_first(vec![table("a", &["c"]), table("b", &["a"]), table("c", &[])]);
        let names: Vec<&str> = sorted.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["c", "a", "b"]);
    }
}
