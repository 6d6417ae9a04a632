//! What went wrong below, as problems. What only the operator can mend is
//! logged here, and not told.

use alerts_engine::{ChangeError, EngineError};
use alerts_sandbox::CallError;
use alerts_store::StoreError;

use super::{Kind, Problem};
use crate::remembered::LookupError;

/// What a caller is told whose change is meant for another version.
const STALE: &str = "it was changed since the version that the header If-Match names; `current` \
    is what is stored now: look whether the change still makes sense, and repeat it with its ETag";
/// What a caller is told when the database was lost at a commit.
const IN_DOUBT: &str = "the database was lost before it said whether this is stored: it may be, or \
    not. A request with an Idempotency-Key finds out when it is repeated with the same key, and so \
    do events that are posted again; else look at what is there";

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Invalid(errors) => Self::invalid(errors),
            ChangeError::NotFound(kind) => {
                Self::new(Kind::NotFound, format!("there is no such {kind} in this namespace"))
            }
            ChangeError::Conflict(detail) => Self::new(Kind::Conflict, detail),
            ChangeError::Stale => Self::new(Kind::Stale, STALE),
            ChangeError::Engine(error) => error.into(),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Sandbox(error) => error.into(),
            EngineError::Compiling { .. } => Self::new(Kind::Unavailable, error.to_string()),
            EngineError::TooManyDeliveries { .. } => Self::new(Kind::TooLarge, error.to_string()),
            other => {
                tracing::error!(error = %other, "a request failed");
                Self::internal()
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if let StoreError::Quota(reached) = error {
            return Self::new(Kind::Conflict, reached.to_string());
        }
        tracing::error!(%error, "a request failed");
        if error.is_in_doubt() {
            return Self::new(Kind::OutcomeUnknown, IN_DOUBT);
        }
        if let StoreError::Overtaken { .. } = error {
            let detail = "it took so long that a repetition with the same Idempotency-Key was \
                          done in its place; repeat it once more for the answer";
            return Self::new(Kind::Conflict, detail);
        }
        if error.is_unavailable() {
            return Self::new(
                Kind::Unavailable,
                "the database is not available; nothing was stored, send the request again",
            );
        }
        Self::internal()
    }
}

impl From<LookupError> for Problem {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Store(error) => error.into(),
            LookupError::TooLate => {
                tracing::error!(%error, "a caller was not let in");
                Self::new(Kind::Unavailable, "the database does not answer; send the request again")
            }
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        tracing::warn!(%error, "a plugin gave no answer");
        let kind = if error.is_passing() { Kind::Unavailable } else { Kind::PluginFailed };
        Self::new(kind, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::StatusCode;

    use super::*;

    #[test]
    fn a_conflict_and_a_missing_resource_have_their_own_status() {
        let status = |error: ChangeError| Problem::from(error).into_response().status();
        assert_eq!(status(ChangeError::Conflict("x".into())), StatusCode::CONFLICT);
        assert_eq!(status(ChangeError::NotFound("alert rule")), StatusCode::NOT_FOUND);
        assert_eq!(status(ChangeError::field("/name", "x")), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn a_damaged_row_tells_the_caller_nothing_of_the_database() {
        let damaged = StoreError::Url("sqlite://secret.db".into());
        let problem = Problem::from(damaged);
        assert_eq!(problem.kind(), Kind::Internal);
        assert!(!problem.detail().contains("secret.db"));
    }
}
