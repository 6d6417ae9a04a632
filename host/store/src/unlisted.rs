//! On SQLite a delivery enters the indexes by rule and by endpoint behind the commit
//! that made it, with some hundred others.
//!
//! SQLite writes whole pages, and a commit would change two of them for every rule and
//! every endpoint in it: half of all that was written. Until a delivery has entered, it is
//! found by walking over those that have not. Postgres writes what was changed, and lists
//! at once.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::Store;
use crate::statement::Statement;

impl Store {
    /// Has the oldest deliveries enter the indexes by rule and by endpoint, `portion` of
    /// them in one commit. Fewer are left as they are: they are quickly walked over. Says
    /// whether there may be more.
    ///
    /// # Errors
    /// The database; nothing has entered then.
    pub async fn list_deliveries_behind(&self, portion: u32) -> Result<bool, StoreError> {
        if self.dialect() == Dialect::Postgres || self.unlisted(portion).await? < portion {
            return Ok(false);
        }
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            entering(portion).build().execute(&mut *transaction).await?;
            transaction.commit().await
        })
        .await?;
        Ok(true)
    }

    /// How many deliveries have not entered, counted up to `most`.
    async fn unlisted(&self, most: u32) -> Result<u32, StoreError> {
        let mut query = Statement::new(
            "SELECT count(*) FROM (SELECT 1 FROM deliveries INDEXED BY deliveries_unlisted
             WHERE is_listed = 0 LIMIT ",
        );
        query.bind(i64::from(most)).push(")");
        let row = query.build().fetch_one(self.background()).await?;
        let count: i64 = sqlx::Row::try_get(&row, 0)?;
        Ok(u32::try_from(count).unwrap_or(most))
    }
}

pub(crate) fn entering(portion: u32) -> Statement {
    let mut query = Statement::new(
        "UPDATE deliveries SET is_listed = 1 WHERE (tenant, id) IN (
            SELECT tenant, id FROM deliveries INDEXED BY deliveries_unlisted
            WHERE is_listed = 0 ORDER BY tenant, id LIMIT ",
    );
    query.bind(i64::from(portion)).push(")");
    query
}
