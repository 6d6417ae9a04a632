//! Statements that take many rows at once.
//!
//! Each statement is handed to the database and back, and a group commit would
//! spend most of its time on that way if each row were one. So rows go in one
//! statement, filled up with empty ones to the next power of two: a handful of
//! texts, all of which stay prepared, serve any number of rows.

use std::sync::OnceLock;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, AnyConnection, AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::dialect::Dialect;

/// A query whose values are being bound.
pub(crate) type Query = sqlx::query::Query<'static, Any, AnyArguments>;

/// Rows in a statement, filled up. Larger than a group commit ever is.
const SIZES: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const LARGEST: usize = SIZES[SIZES.len() - 1];

/// What a column holds: an empty row must be of the same types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Text,
    Number,
    Bytes,
}

/// A statement with a table of rows in it: `head (the table) tail`. No row's first
/// column may be null: that is how an empty row is known.
pub(crate) struct Batch {
    head: &'static str,
    columns: &'static [Column],
    tail: &'static str,
    /// For SQLite and for Postgres.
    texts: [[OnceLock<SqlStr>; SIZES.len()]; 2],
}

impl Batch {
    pub(crate) const fn new(
        head: &'static str,
        columns: &'static [Column],
        tail: &'static str,
    ) -> Self {
        Self { head, columns, tail, texts: [const { [const { OnceLock::new() }; SIZES.len()] }; 2] }
    }

    /// Runs it for all rows. Returns how many rows of the database it changed.
    pub(crate) async fn execute<R>(
        &self,
        connection: &mut AnyConnection,
        rows: &[R],
        bind: impl Fn(Query, &R) -> Query,
    ) -> Result<u64, sqlx::Error> {
        let dialect = Dialect::of_connection(connection);
        let mut changed = 0;
        for rows in rows.chunks(LARGEST) {
            let done = self.query(dialect, rows, &bind).execute(&mut *connection).await?;
            changed += done.rows_affected();
        }
        Ok(changed)
    }

    /// Runs it for all rows. Returns what it returns.
    pub(crate) async fn fetch<R>(
        &self,
        connection: &mut AnyConnection,
        rows: &[R],
        bind: impl Fn(Query, &R) -> Query,
    ) -> Result<Vec<AnyRow>, sqlx::Error> {
        let dialect = Dialect::of_connection(connection);
        let mut returned = Vec::new();
        for rows in rows.chunks(LARGEST) {
            returned.extend(self.query(dialect, rows, &bind).fetch_all(&mut *connection).await?);
        }
        Ok(returned)
    }

    fn query<R>(&self, dialect: Dialect, rows: &[R], bind: impl Fn(Query, &R) -> Query) -> Query {
        let at = SIZES.partition_point(|size| *size < rows.len());
        let text = self.texts[dialect as usize][at].get_or_init(|| self.text(dialect, SIZES[at]));
        let query = rows.iter().fold(sqlx::query(text.clone()), bind);
        (rows.len()..SIZES[at]).fold(query, |query, _| self.bind_empty(query))
    }

    fn bind_empty(&self, query: Query) -> Query {
        self.columns.iter().fold(query, |query, column| match column {
            Column::Text => query.bind(None::<String>),
            Column::Number => query.bind(None::<i64>),
            Column::Bytes => query.bind(None::<Vec<u8>>),
        })
    }

    fn text(&self, dialect: Dialect, size: usize) -> SqlStr {
        let mut text = format!("{} SELECT * FROM (VALUES ", self.head);
        let width = self.columns.len();
        for row in 0..size {
            for column in 0..width {
                let before = match (row, column) {
                    (0, 0) => "(",
                    (_, 0) => "), (",
                    _ => ", ",
                };
                text.push_str(before);
                text.push_str(&dialect.place(row * width + column + 1));
            }
        }
        text.push_str(")) AS given WHERE column1 IS NOT NULL ");
        text.push_str(self.tail);
        AssertSqlSafe(text).into_sql_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_a_place_for_every_value() {
        let batch =
            Batch::new("INSERT INTO t (a, b)", &[Column::Text, Column::Number], "RETURNING a");
        let text = batch.text(Dialect::Postgres, 2);
        assert_eq!(
            text.as_str(),
            "INSERT INTO t (a, b) SELECT * FROM (VALUES ($1, $2), ($3, $4)) AS given \
             WHERE column1 IS NOT NULL RETURNING a"
        );
        let text = batch.text(Dialect::Sqlite, 2);
        assert_eq!(
            text.as_str(),
            "INSERT INTO t (a, b) SELECT * FROM (VALUES (?, ?), (?, ?)) AS given \
             WHERE column1 IS NOT NULL RETURNING a"
        );
    }
}
