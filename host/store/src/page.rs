//! Lists in pages, newest first.

use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::open::Store;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// Whether older ones follow: ask for those before the last item.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// From up to `limit + 1` rows, of which the last only says that there is more.
    pub(crate) fn of<R, E>(
        mut rows: Vec<R>,
        limit: u32,
        read: impl Fn(R) -> Result<T, E>,
    ) -> Result<Self, E> {
        let limit = limit as usize;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Self { items: rows.into_iter().map(read).collect::<Result<_, _>>()?, has_more })
    }

    /// The same without the rows of `table` that do not read: they are put aside.
    pub(crate) fn readable(
        store: &Store,
        table: &'static str,
        mut rows: Vec<AnyRow>,
        limit: u32,
        read: impl Fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Self, StoreError> {
        let has_more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        Ok(Self { items: store.all_readable(table, &rows, read)?, has_more })
    }
}
