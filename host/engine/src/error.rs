//! What can go wrong on this floor, told to the floor above.

use alerts_domain::keyring::OpenError;
use alerts_domain::problem::FieldError;
use alerts_sandbox::CallError;
use alerts_store::StoreError;

/// The engine could not do what was asked, through no fault of the caller.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A plugin.
    #[error(transparent)]
    Sandbox(#[from] CallError),
    /// A stored secret does not open.
    #[error("the secrets of endpoint {endpoint} cannot be read: {source}")]
    Secrets {
        /// The endpoint's id.
        endpoint: alerts_domain::id::EndpointId,
        /// Why.
        source: OpenError,
    },
    /// A plugin that is needed now is not compiled yet.
    #[error("the plugin `{id}` is still being compiled; send the request again in a few seconds")]
    Compiling {
        /// Which.
        id: String,
    },
    /// Events match so many rules that storing them would hold everybody else up.
    #[error(
        "the {events} events of this call would make more than {limit} deliveries, so none of \
         them was stored; send fewer events in a call, or switch rules off that match the same \
         events"
    )]
    TooManyDeliveries {
        /// Events in the call.
        events: usize,
        /// Most deliveries that one call may make.
        limit: usize,
    },
    /// The HTTP client could not be made.
    #[error("the outgoing HTTP client could not be made: {0}")]
    Client(#[source] reqwest::Error),
}

impl EngineError {
    /// Whether the database is away, so that nothing else will succeed now either.
    pub(crate) fn is_unavailable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_unavailable())
    }
}

/// A change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Field by field, what is wrong with it.
    #[error("the request has {} wrong field(s)", .0.len())]
    Invalid(Vec<FieldError>),
    /// No such resource of this tenant.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// It stands against what is stored now.
    #[error("{0}")]
    Conflict(String),
    /// It is not the version that the caller has seen.
    #[error("it was changed since it was read")]
    Stale,
    /// Not the caller's fault.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl ChangeError {
    /// One wrong field.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, detail)])
    }

    /// The same, seen from a document in which what is changed has its place at `prefix`.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        match self {
            Self::Invalid(errors) => {
                Self::Invalid(errors.into_iter().map(|error| error.under(prefix)).collect())
            }
            other => other,
        }
    }
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Quota(reached) => Self::Conflict(reached.to_string()),
            other => Self::Engine(other.into()),
        }
    }
}

impl From<CallError> for ChangeError {
    fn from(error: CallError) -> Self {
        Self::Engine(error.into())
    }
}
