//! How a watch goes, as it is stored and shown.

use std::collections::BTreeSet;

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use serde::{Deserialize, Serialize};

/// How a source is watched, in its watcher's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// The namespaces that are watched.
    pub namespaces: BTreeSet<TenantId>,
    /// When it was asked last.
    pub last_poll_at: Option<Timestamp>,
    /// When all that was asked was answered last: what happened before then is told.
    pub last_success_at: Option<Timestamp>,
    /// What time it was for the platform then.
    #[serde(default)]
    pub platform_time: Option<Timestamp>,
    /// What is wrong, if anything is.
    pub trouble: Option<Trouble>,
    /// What somebody should look at, and does not keep it from being watched.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// When the namespaces that there are were listed last, by the platform's clock; none
    /// when they are named by the settings alone.
    #[serde(default)]
    pub listed_at: Option<Timestamp>,
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// A word for it: `unauthorized`, `unreachable`, `failing`, `not_exosphere`.
    pub kind: String,
    /// What is wrong and what to do about it, for the operator.
    pub detail: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether it was told in the namespaces.
    #[serde(default)]
    pub is_told: bool,
}

impl SourceStatus {
    /// As it was stored; what an older or a newer release wrote may not read.
    pub fn read(stored: &str) -> Option<Self> {
        serde_json::from_str(stored).ok()
    }
}
