//! Why a call of a plugin failed: one fault for each limit, and for what the
//! contract rules out. Which plugin it was, [`crate::error`] adds.

use crate::said;

/// Why a call failed, before it is known which plugin's it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    OutOfFuel {
        fuel: u64,
    },
    Deadline {
        deadline_ms: u64,
    },
    Memory {
        limit_bytes: usize,
    },
    Table {
        limit_elements: usize,
    },
    Output {
        limit_bytes: usize,
    },
    Exchanges {
        limit: u32,
    },
    Trap {
        cause: String,
    },
    /// The plugin answered with something that the contract rules out.
    Contract {
        detail: String,
    },
}

impl Fault {
    /// `detail` may quote the plugin.
    pub(crate) fn contract(detail: impl Into<String>) -> Self {
        Self::Contract { detail: said::text(detail.into()) }
    }
}
