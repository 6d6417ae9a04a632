//! Rows that did not read: remembered by table and id, for whoever runs the host.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::Row as _;
use sqlx::any::AnyRow;

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
    /// All that are remembered.
    pub(crate) fn all(&self) -> Vec<DamagedRow> {
        let row = |((table, id), detail): (&(&'static str, String), &String)| DamagedRow {
            table,
            id: id.clone(),
            detail: detail.clone(),
        };
        self.rows().iter().map(row).collect()
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<(&'static str, String), String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a row. It is counted and logged the first time that it is met.
    pub(crate) fn put_aside(&self, table: &'static str, id: String, detail: String) {
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
    pub(crate) fn mended(&self, table: &'static str, row: &AnyRow) {
        let mut rows = self.rows();
        if !rows.is_empty()
            && let Ok(id) = row.try_get::<String, _>("id")
        {
            rows.remove(&(table, id));
        }
    }
}
