//! The kinds of problem, each with a status and a `type` that stays.

use http::StatusCode;

/// What kinds of problem there are. Each has a `type` that programs can rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Fields, parameters or headers are wrong.
    InvalidRequest,
    /// The body is not JSON.
    MalformedJson,
    /// A platform key must say for whom it acts.
    NamespaceRequired,
    /// No key, or not one of ours.
    Unauthenticated,
    /// A sender to a webhook in that has not its secret.
    NotProven,
    /// A key of ours whose time is over.
    KeyExpired,
    /// A session whose time is over, or whose key was revoked.
    SessionEnded,
    /// The key does not reach that far.
    Forbidden,
    /// A change with a session's cookie that its own page has not asked for.
    NotFromOwnPage,
    /// Not there, or somebody else's.
    NotFound,
    /// The path is right and the method is not.
    MethodNotAllowed,
    /// The body took too long.
    RequestTimeout,
    /// It stands against what is stored now.
    Conflict,
    /// It is meant for another version than the one that is stored now.
    Stale,
    /// Over a limit.
    TooLarge,
    /// A body that is read by nobody here.
    UnsupportedMediaType,
    /// An idempotency key used for two different requests.
    IdempotencyKeyReused,
    /// Wrong keys come too fast.
    TooManyAttempts,
    /// More at once than one sender may send.
    TooManyRequests,
    /// A plugin gave no answer; its author or the operator must act.
    PluginFailed,
    /// A bug, or damage.
    Internal,
    /// Worth repeating.
    Unavailable,
    /// Perhaps done, perhaps not.
    OutcomeUnknown,
}

/// What every `type` begins with.
pub(super) const TYPE_PREFIX: &str = "https://exosphere.dev/problems/";

impl Kind {
    /// Of each status the most general one first.
    pub(super) const ALL: [Self; 23] = [
        Self::InvalidRequest,
        Self::MalformedJson,
        Self::NamespaceRequired,
        Self::Unauthenticated,
        Self::NotProven,
        Self::KeyExpired,
        Self::SessionEnded,
        Self::Forbidden,
        Self::NotFromOwnPage,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::Conflict,
        Self::Stale,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyKeyReused,
        Self::TooManyRequests,
        Self::TooManyAttempts,
        Self::Internal,
        Self::PluginFailed,
        Self::Unavailable,
        Self::OutcomeUnknown,
    ];

    /// Status, the end of `type`, title.
    pub(super) fn told(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidRequest => (S::BAD_REQUEST, "invalid-request", "The request is not valid"),
            Self::MalformedJson => {
                (S::BAD_REQUEST, "malformed-json", "The request's body is not JSON")
            }
            Self::NamespaceRequired => {
                (S::BAD_REQUEST, "namespace-required", "The request must name a namespace")
            }
            Self::Unauthenticated => {
                (S::UNAUTHORIZED, "unauthenticated", "The request needs a valid API key")
            }
            Self::KeyExpired => (S::UNAUTHORIZED, "key-expired", "The API key has expired"),
            Self::SessionEnded => (S::UNAUTHORIZED, "session-ended", "The session has ended"),
            Self::NotFromOwnPage => (
                S::FORBIDDEN,
                "not-from-own-page",
                "The request was not made by the dashboard's own page",
            ),
            Self::TooManyAttempts => {
                (S::TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts to sign in")
            }
            Self::TooManyRequests => {
                (S::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests at once")
            }
            Self::NotProven => (
                S::UNAUTHORIZED,
                "not-proven",
                "The request does not show that its sender knows the source's secret",
            ),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "The API key does not allow this"),
            Self::NotFound => (S::NOT_FOUND, "not-found", "There is no such resource"),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The resource does not have this method",
            ),
            Self::RequestTimeout => {
                (S::REQUEST_TIMEOUT, "request-timeout", "The request took too long to arrive")
            }
            Self::Conflict => {
                (S::CONFLICT, "conflict", "The request does not fit the present state")
            }
            Self::Stale => {
                (S::PRECONDITION_FAILED, "stale", "The resource was changed since it was read")
            }
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "too-large", "The request is too large"),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The request's body is of a type that is not read here",
            ),
            Self::IdempotencyKeyReused => (
                S::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key belongs to another request",
            ),
            Self::PluginFailed => {
                (S::INTERNAL_SERVER_ERROR, "plugin-failed", "A plugin gave no answer")
            }
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
            Self::Unavailable => {
                (S::SERVICE_UNAVAILABLE, "unavailable", "The server cannot answer now")
            }
            Self::OutcomeUnknown => (
                S::SERVICE_UNAVAILABLE,
                "outcome-unknown",
                "It is not known whether the request was done",
            ),
        }
    }
}
