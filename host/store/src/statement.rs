//! A statement put together piece by piece. sqlx's own builder writes `?` for a
//! value when it does not know the database, which Postgres does not take.

use std::fmt::Write as _;

use sqlx::any::AnyArguments;
use sqlx::{Any, AssertSqlSafe, Encode, Type};

use crate::batch::Query;

/// Text of ours, with numbered places for values of others.
pub(crate) struct Statement {
    text: String,
    places: usize,
    values: Vec<Box<dyn FnOnce(Query) -> Query + Send>>,
}

impl Statement {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), places: 0, values: Vec::new() }
    }

    /// Adds text. Never a value.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a place for a value.
    pub(crate) fn bind<T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'static, Any> + Type<Any> + Send + 'static,
    {
        self.places += 1;
        // Writing to a string cannot fail.
        let _ = write!(self.text, "${}", self.places);
        self.values.push(Box::new(move |query| query.bind(value)));
        self
    }

    /// Ready to run.
    pub(crate) fn build(self) -> sqlx::query::Query<'static, Any, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(self.text));
        self.values.into_iter().fold(query, |query, bind| bind(query))
    }
}
