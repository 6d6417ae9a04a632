//! Statements that take many rows at once.
//!
//! One row a statement would spend most of a group commit on the way to the
//! database and back. Rows go in powers of two, so that a handful of statement
//! texts, all of which stay prepared, serve any number of rows.

use std::sync::OnceLock;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, AnyConnection, AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::dialect::Dialect;

/// A query whose values are being bound.
pub(crate) type Query<'q> = sqlx::query::Query<'q, Any, AnyArguments>;

const SIZES: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// A statement with a list of rows in it: `head VALUES (…), (…) tail`.
pub(crate) struct Batch {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    /// For SQLite and for Postgres.
    texts: [[OnceLock<SqlStr>; SIZES.len()]; 2],
}

impl Batch {
    pub(crate) const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, columns, tail, texts: [const { [const { OnceLock::new() }; SIZES.len()] }; 2] }
    }

    /// Runs it for all rows. Returns what the statement returns, if anything.
    pub(crate) async fn run<R>(
        &self,
        connection: &mut AnyConnection,
        mut rows: &[R],
        bind: impl for<'q> Fn(Query<'q>, &R) -> Query<'q>,
    ) -> Result<Vec<AnyRow>, sqlx::Error> {
        let dialect = Dialect::of_connection(connection);
        let mut returned = Vec::new();
        for (size, text) in SIZES.iter().zip(&self.texts[dialect as usize]) {
            while rows.len() >= *size {
                let (now, later) = rows.split_at(*size);
                rows = later;
                let text = text.get_or_init(|| self.text(dialect, *size)).clone();
                let query = now.iter().fold(sqlx::query(text), &bind);
                returned.extend(query.fetch_all(&mut *connection).await?);
            }
        }
        Ok(returned)
    }

    fn text(&self, dialect: Dialect, size: usize) -> SqlStr {
        let mut text = format!("{} VALUES ", self.head);
        for row in 0..size {
            for column in 0..self.columns {
                let before = match (row, column) {
                    (0, 0) => "(",
                    (_, 0) => "), (",
                    _ => ", ",
                };
                text.push_str(before);
                text.push_str(&dialect.place(row * self.columns + column + 1));
            }
        }
        text.push_str(") ");
        text.push_str(self.tail);
        AssertSqlSafe(text).into_sql_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_a_place_for_every_value() {
        let batch = Batch::new("INSERT INTO t (a, b)", 2, "RETURNING a");
        let text = batch.text(Dialect::Postgres, 2);
        assert_eq!(text.as_str(), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) RETURNING a");
        let text = batch.text(Dialect::Sqlite, 2);
        assert_eq!(text.as_str(), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) RETURNING a");
    }
}
