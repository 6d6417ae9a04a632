//! The columns of a row that is written, each name beside its value: a table's
//! columns stand in one place, for the INSERT and for the UPDATE.

use sqlx::{Any, Encode, Type};

use crate::statement::{Binding, Statement};

/// Columns with their values.
#[derive(Default)]
pub(crate) struct Columns(Vec<(&'static str, Binding)>);

impl Columns {
    /// Adds a column. The name is ours, never a value.
    pub(crate) fn set<T>(mut self, name: &'static str, value: T) -> Self
    where
        T: Encode<'static, Any> + Type<Any> + Send + 'static,
    {
        self.0.push((name, Box::new(move |query| query.bind(value))));
        self
    }

    /// As a new row of a table.
    pub(crate) fn insert(self, table: &'static str) -> Statement {
        let names: Vec<&str> = self.0.iter().map(|(name, _)| *name).collect();
        let mut statement =
            Statement::new(&format!("INSERT INTO {table} ({}) VALUES ", names.join(", ")));
        for (number, (_, value)) in self.0.into_iter().enumerate() {
            statement.push(if number == 0 { "(" } else { ", " }).bind_with(value);
        }
        statement.push(")");
        statement
    }

    /// As the new values of a table's rows. The statement has no WHERE yet.
    pub(crate) fn update(self, table: &'static str) -> Statement {
        let mut statement = Statement::new(&format!("UPDATE {table}"));
        for (number, (name, value)) in self.0.into_iter().enumerate() {
            statement.push(if number == 0 { " SET " } else { ", " });
            statement.push(name).push(" = ").bind_with(value);
        }
        statement
    }
}
