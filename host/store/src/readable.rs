//! The rows of a page that read. Those that do not are put aside one by one, so
//! that none holds up the page that it is on.

use sqlx::any::AnyRow;

use crate::damaged::DamagedRow;
use crate::error::StoreError;
use crate::open::Store;

impl Store {
    /// The rows that this host has met and could not read, a hundred at most. They
    /// are left out of every page until they read again.
    pub fn damaged(&self) -> Vec<DamagedRow> {
        self.damaged_rows().all()
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
