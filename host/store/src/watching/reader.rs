//! News as they are read: from memory where there is one host, and where there are several
//! from rows that every host reads.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use alerts_domain::tenant::TenantId;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::batch::Batch;
use crate::batch::Column::Number;
use crate::error::StoreError;
use crate::news::News;
use crate::open::Store;

/// Rows that are read at once.
const ROWS: i64 = 64;
/// Numbers are given when a row is written, and rows are seen when they are committed:
/// one that is missing may still come, for as long as a transaction may take.
const COMES_WITHIN: Duration = Duration::from_secs(10);
/// Missing numbers that are looked for, at most.
const MISSING: usize = 256;

static MISSED: Batch =
    Batch::new("SELECT seq, told FROM news WHERE seq IN (", &[Number], ") ORDER BY seq");

/// Reads what is told from where it began, each row once.
#[derive(Debug)]
pub struct NewsReader {
    store: Store,
    /// The greatest number that was seen; none before the first look.
    last: Option<i64>,
    /// Numbers below it that were not, and since when.
    missing: BTreeMap<i64, Instant>,
}

impl NewsReader {
    /// Of what is committed from its first look on.
    pub fn new(store: Store) -> Self {
        Self { store, last: None, missing: BTreeMap::new() }
    }

    /// What was committed since the last look, the oldest first; none when some of it
    /// is lost, and everything must be looked at again. Says also whether there is more.
    ///
    /// # Errors
    /// The database.
    pub async fn read(&mut self) -> Result<(Option<Vec<(TenantId, News)>>, bool), StoreError> {
        if !self.store.is_shared() {
            return Ok((self.store.ledgers().handed_over.take(), false));
        }
        let Some(last) = self.last else {
            let newest = sqlx::query("SELECT max(seq) AS seq FROM news");
            let newest = newest.fetch_one(self.store.background()).await?;
            self.last = Some(newest.try_get::<Option<i64>, _>("seq")?.unwrap_or(0));
            return Ok((Some(Vec::new()), false));
        };
        let rows = sqlx::query("SELECT seq, told FROM news WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(last)
            .bind(ROWS)
            .fetch_all(self.store.background())
            .await?;
        let mut found = self.come_late().await?;
        let (now, has_more) = (Instant::now(), rows.len() as i64 == ROWS);
        for row in &rows {
            let seq: i64 = row.try_get("seq")?;
            let passed = self.last.unwrap_or(last) + 1..seq;
            self.missing.extend(passed.rev().take(MISSING).map(|missing| (missing, now)));
            self.last = Some(seq);
        }
        while self.missing.len() > MISSING {
            self.missing.pop_first();
        }
        self.missing.retain(|_, since| since.elapsed() < COMES_WITHIN);
        found.extend(rows);
        let mut news: Option<Vec<(TenantId, News)>> = Some(Vec::new());
        for row in &found {
            match told(row) {
                Ok(told) => news.iter_mut().for_each(|news| news.extend_from_slice(&told)),
                // A host of a later release tells what this one does not know.
                Err(_) => news = None,
            }
        }
        Ok((news, has_more))
    }

    /// Rows that were passed over because they were not committed yet.
    async fn come_late(&mut self) -> Result<Vec<AnyRow>, StoreError> {
        if self.missing.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.store.background().acquire().await?;
        let missing: Vec<i64> = self.missing.keys().copied().collect();
        let rows = MISSED.fetch(&mut connection, &missing, |query, seq| query.bind(*seq)).await?;
        for row in &rows {
            self.missing.remove(&row.try_get::<i64, _>("seq")?);
        }
        Ok(rows)
    }
}

fn told(row: &AnyRow) -> Result<Vec<(TenantId, News)>, StoreError> {
    let (seq, told): (i64, String) = (row.try_get("seq")?, row.try_get("told")?);
    serde_json::from_str(&told).map_err(|error| StoreError::damaged("news", seq, error))
}
