//! Old statistics are removed, a bounded number of rows in each commit.

use alerts_domain::Timestamp;
use alerts_domain::stats::Step;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::open::Store;
use crate::row::us;
use crate::statement::Statement;

impl Store {
    /// Removes up to `limit` rows of steps that began before then, the oldest first, of
    /// whichever tenant. Says how many.
    pub async fn remove_old_stats(
        &self,
        step: Step,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.retried(|| async {
            let mut transaction = self.begin_background().await?;
            let removal = removal(self.dialect(), step, before, limit);
            let removed = removal.build().execute(&mut *transaction).await?;
            transaction.commit().await?;
            Ok(removed.rows_affected())
        })
        .await
    }
}

/// Two hosts that do this at once take different rows, and do not wait for each other.
pub(crate) fn removal(dialect: Dialect, step: Step, before: Timestamp, limit: u32) -> Statement {
    const KEY: &str = "tenant, counted_by, step, at, subject";
    let through = dialect.through("stats_by_age");
    let mut query =
        Statement::new(&format!("WITH old AS (SELECT {KEY} FROM stats{through} WHERE step = "));
    query.bind(step.as_str());
    query.push(" AND at < ").bind(us(before));
    query.push(" ORDER BY at LIMIT ").bind(i64::from(limit)).push(dialect.skip_locked());
    query.push(&format!(") DELETE FROM stats WHERE ({KEY}) IN (SELECT {KEY} FROM old)"));
    query
}
