//! What keeps this host from doing all of its work, for whoever asks whether it is
//! ready.

use std::fmt;
use std::time::Duration;

use alerts_domain::Timestamp;

/// Something that keeps this host from doing all of its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A background loop has shown no life for too long.
    Silent {
        /// Which.
        name: &'static str,
        /// For how long.
        quiet: Duration,
    },
    /// A background loop ended its last rounds with panics, and is started again.
    Failing {
        /// Which.
        name: &'static str,
        /// How many rounds in a row.
        panics: u32,
    },
    /// A plugin that is built in is not in use.
    NoPlugin {
        /// Which.
        id: String,
        /// Why it was refused; none while it is being compiled.
        reason: Option<String>,
    },
    /// This host's lease was not renewed: other hosts may take its work over.
    LeaseNotRenewed {
        /// When it was last.
        since: Timestamp,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent { name, quiet } => {
                write!(f, "the background loop `{name}` has been silent for {} s", quiet.as_secs())
            }
            Self::Failing { name, panics } => write!(
                f,
                "the background loop `{name}` panicked {panics} times in a row; see the log"
            ),
            Self::NoPlugin { id, reason: None } => {
                write!(f, "the plugin `{id}` is being compiled")
            }
            Self::NoPlugin { id, reason: Some(reason) } => {
                write!(f, "the plugin `{id}` is not in use: {reason}")
            }
            Self::LeaseNotRenewed { since } => {
                write!(f, "this host's lease was last renewed at {since}")
            }
        }
    }
}
