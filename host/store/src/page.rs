//! Lists in pages, bounded in items and in bytes.
//!
//! A page is read in two steps: which rows are on it, with their sizes, and then
//! these rows. So no more is read than is shown, however large the rows are.

use std::fmt::Display;

use alerts_domain::tenant::TenantId;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::open::Store;
use crate::pool::Pool;
use crate::statement::Statement;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Whether older ones follow: ask for those before the last item.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// Of a list in which there is nothing.
    pub(crate) fn empty() -> Self {
        Self { items: Vec::new(), has_more: false }
    }
}

/// A list of which one page is asked for.
pub(crate) struct List<'a, K, R> {
    /// Over whose connections it is read.
    pub(crate) from: &'a Pool,
    /// From which table.
    pub(crate) table: &'static str,
    /// Makes the statement that says which rows follow an id, in the list's order:
    /// their `id`, as text, and their `bytes`, one more than the limit.
    pub(crate) keys: K,
    /// Makes the statement that reads the rows with these ids, in the same order.
    pub(crate) rows: R,
}

/// Which way a list goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

impl Store {
    /// Most bytes of stored values on one page, unless its first item alone has
    /// more. An answer costs a few times this in memory, and a caller who does not
    /// read it keeps it there.
    pub const PAGE_BYTES: u64 = 1024 * 1024;

    /// Reads the page after the id `passed`. Rows that do not read are left out; it
    /// is empty only when no others follow.
    pub(crate) async fn page<T, K, R>(
        &self,
        list: List<'_, K, R>,
        limit: u32,
        mut passed: Option<String>,
        read: impl Fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError>
    where
        K: Fn(Option<&str>) -> Statement,
        R: Fn(&[String]) -> Statement,
    {
        loop {
            let keys = (list.keys)(passed.as_deref());
            let found = keys.build().fetch_all(list.from).await?;
            let (ids, has_more) = fitting(&found, limit as usize)?;
            let Some(last) = ids.last() else { return Ok(Page::empty()) };
            let rows = (list.rows)(&ids).build().fetch_all(list.from).await?;
            let items = self.all_readable(list.table, &rows, &read)?;
            if !items.is_empty() || !has_more {
                return Ok(Page { items, has_more });
            }
            // None of them reads: the list goes on behind them.
            passed = Some(last.clone());
        }
    }

    /// A page of rows that are small whatever is in them: up to `limit + 1`, of which
    /// the last only says that there is more.
    pub(crate) fn page_of_small<T>(
        &self,
        table: &'static str,
        mut rows: Vec<AnyRow>,
        limit: u32,
        read: impl Fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(Page { items: self.all_readable(table, &rows, read)?, has_more })
    }

    /// The statement that reads these rows of a tenant's.
    pub(crate) fn rows_of(
        &self,
        table: &str,
        tenant: &TenantId,
        order: Order,
        ids: &[String],
    ) -> Statement {
        let mut query = Statement::new(&format!("SELECT * FROM {table} WHERE tenant = "));
        query.bind(tenant.as_str().to_owned());
        query.push(" AND id IN ").bind_texts(self.dialect(), ids);
        query.push(match order {
            Order::NewestFirst => " ORDER BY id DESC",
            Order::OldestFirst => " ORDER BY id",
        });
        query
    }
}

/// The ids that are on the page, of up to `limit + 1` rows, and whether more follow.
fn fitting(rows: &[AnyRow], limit: usize) -> Result<(Vec<String>, bool), StoreError> {
    let (mut ids, mut bytes) = (Vec::with_capacity(rows.len().min(limit)), 0);
    for row in rows.iter().take(limit) {
        bytes += u64::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or(0);
        if bytes > Store::PAGE_BYTES && !ids.is_empty() {
            break;
        }
        ids.push(row.try_get("id")?);
    }
    let has_more = ids.len() < rows.len();
    Ok((ids, has_more))
}

/// Which part of a list, by ids: what was made at a time has an id that begins
/// with that time, so one index serves for both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<I> {
    /// Not older than this.
    pub(crate) first: Option<I>,
    /// Not newer than this.
    pub(crate) last: Option<I>,
    /// Older than this.
    pub(crate) before: Option<I>,
}

impl<I: Copy + Ord + Display> Span<I> {
    /// Adds its conditions to a query that has a WHERE already. At most one for
    /// each end: SQLite would take one of two for the place to begin at, and walk
    /// over what the other leaves out.
    pub(crate) fn push(self, query: &mut Statement) {
        if let Some(first) = self.first {
            query.push(" AND id >= ").bind(first.to_string());
        }
        match (self.before, self.last) {
            (Some(before), last) if last.is_none_or(|last| before <= last) => {
                query.push(" AND id < ").bind(before.to_string());
            }
            (_, Some(last)) => {
                query.push(" AND id <= ").bind(last.to_string());
            }
            (_, None) => {}
        }
    }
}
