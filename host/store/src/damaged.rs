//! Rows that do not read: put aside one by one, so that none holds up the page
//! that it is on, and remembered by table and id for whoever runs the host.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::error::StoreError;
use crate::open::Store;

/// Most rows that are remembered: enough to see what is wrong, and little memory
/// where a whole table is.
const MAX_REMEMBERED: usize = 100;

/// A row that was met and could not be read: damaged, or written by a newer
/// release with a word that this one does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedRow {
    /// Where it is.
    pub table: &'static str,
    /// Which row.
    pub id: String,
    /// What is wrong with it.
    pub detail: String,
}

/// What was met so far, by table and id.
#[derive(Debug, Default)]
pub(crate) struct DamagedRows(Mutex<BTreeMap<(&'static str, String), String>>);

impl DamagedRows {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<(&'static str, String), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a row. It is counted and logged the first time that it is met.
    fn put_aside(&self, table: &'static str, id: String, detail: String) {
        let mut rows = self.rows();
        if rows.contains_key(&(table, id.clone())) {
            return;
        }
        tracing::error!(table, id, detail, "a stored row does not read; it is left out");
        metrics::counter!("alerts_damaged_rows_total", "table" => table).increment(1);
        if rows.len() < MAX_REMEMBERED {
            rows.insert((table, id), detail);
        }
    }

    /// Forgets a row that reads now: somebody has mended it.
    fn mended(&self, table: &'static str, row: &AnyRow) {
        let mut rows = self.rows();
        if !rows.is_empty()
            && let Ok(id) = row.try_get::<String, _>("id")
        {
            rows.remove(&(table, id));
        }
    }
}

impl Store {
    /// The rows that this host has met and could not read, a hundred at most. They
    /// are left out of every page until they read again.
    pub fn damaged(&self) -> Vec<DamagedRow> {
        let rows = self.damaged_rows().rows();
        let row = |((table, id), detail): (&(&'static str, String), &String)| DamagedRow {
            table,
            id: id.clone(),
            detail: detail.clone(),
        };
        rows.iter().map(row).collect()
    }

    /// One row of a page; none when it does not read, and is put aside. Fails only
    /// as the whole page would: when the database does.
    pub(crate) fn readable<T>(
        &self,
        table: &'static str,
        row: &AnyRow,
        read: impl FnOnce(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match read(row) {
            Ok(value) => {
                self.damaged_rows().mended(table, row);
                Ok(Some(value))
            }
            Err(StoreError::Damaged { table, id, detail }) => {
                self.damaged_rows().put_aside(table, id, detail);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// The rows of a page of `table` that read, in their order; the others are put
    /// aside.
    pub(crate) fn all_readable<T>(
        &self,
        table: &'static str,
        rows: &[AnyRow],
        read: impl Fn(&AnyRow) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        rows.iter().filter_map(|row| self.readable(table, row, &read).transpose()).collect()
    }
}
