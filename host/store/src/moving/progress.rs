//! How far a move is, as the target keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How far each table is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress(BTreeMap<String, OfTable>);

/// How far one table is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OfTable {
    /// Rows that are in the target.
    pub(super) rows: u64,
    /// The key of the last of them; none while there is none.
    pub(super) after: Option<Vec<Value>>,
    /// Whether these are all.
    pub(super) is_done: bool,
}

impl Progress {
    pub(super) fn is_begun(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn of(&self, table: &str) -> OfTable {
        self.0.get(table).cloned().unwrap_or_default()
    }

    pub(super) fn set(&mut self, table: &str, is: OfTable) {
        self.0.insert(table.to_owned(), is);
    }

    pub(super) fn rows(&self) -> u64 {
        self.0.values().map(|table| table.rows).sum()
    }
}
