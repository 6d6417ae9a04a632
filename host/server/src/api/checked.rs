//! The answer to a check of what is not saved yet.

use serde::Serialize;

/// What can be saved.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Checked {
    /// Of a change: the names of the fields that it would make different. Empty for something
    /// new.
    pub(crate) changed: Vec<String>,
}
