//! A statement put together piece by piece. sqlx's own builder writes `?` for a
//! value when it does not know the database, which Postgres does not take.

use sqlx::any::AnyArguments;
use sqlx::{Any, AssertSqlSafe, Encode, Type};

use crate::batch::Query;
use crate::dialect::Dialect;
use crate::row::json_text;

/// Gives a value to a query.
pub(crate) type Binding = Box<dyn FnOnce(Query) -> Query + Send>;

/// Text of ours, with numbered places for values of others.
pub(crate) struct Statement {
    text: String,
    values: Vec<Binding>,
}

impl Statement {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
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
        self.bind_with(Box::new(move |query| query.bind(value)))
    }

    /// Adds a place for what is given there.
    pub(crate) fn bind_with(&mut self, value: Binding) -> &mut Self {
        let place = self.place(value);
        self.text.push_str(&place);
        self
    }

    /// Adds a list of texts, as the rows that an `IN` looks through. However many
    /// they are, the statement's text is the same, and stays prepared.
    pub(crate) fn bind_texts(&mut self, dialect: Dialect, texts: &[String]) -> &mut Self {
        let listed = json_text(&texts);
        let place = self.place(Box::new(move |query| query.bind(listed)));
        let listed = dialect.listed(&place);
        self.push("(").push(&listed).push(")")
    }

    fn place(&mut self, value: Binding) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// Ready to run.
    pub(crate) fn build(self) -> sqlx::query::Query<'static, Any, AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(self.text));
        self.values.into_iter().fold(query, |query, bind| bind(query))
    }

    /// The same statement, asking how it would be run.
    #[cfg(test)]
    pub(crate) fn explained(mut self, explain: &str) -> Self {
        self.text.insert_str(0, explain);
        self
    }
}
