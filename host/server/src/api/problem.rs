//! Errors as callers see them: RFC 9457 problem details.
//!
//! The one place where what went wrong below becomes an HTTP status. Texts are
//! for the person who must act; what only an operator may know goes to the log.

use alerts_domain::problem::FieldError;
use alerts_engine::{ChangeError, EngineError};
use alerts_sandbox::CallError;
use alerts_store::StoreError;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

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
    /// The key does not reach that far.
    Forbidden,
    /// Not there, or somebody else's.
    NotFound,
    /// The path is right and the method is not.
    MethodNotAllowed,
    /// The body took too long.
    RequestTimeout,
    /// It stands against what is stored now.
    Conflict,
    /// Over a limit.
    TooLarge,
    /// A body that is read by nobody here.
    UnsupportedMediaType,
    /// An idempotency key used for two different requests.
    IdempotencyKeyReused,
    /// A plugin gave no answer; its author or the operator must act.
    PluginFailed,
    /// A bug, or damage.
    Internal,
    /// Worth repeating.
    Unavailable,
}

/// What every `type` begins with.
const TYPE_PREFIX: &str = "https://exosphere.dev/problems/";

impl Kind {
    /// Status, the end of `type`, title.
    fn told(self) -> (StatusCode, &'static str, &'static str) {
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
        }
    }
}

/// An error on its way to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
}

/// When to come back after a 503, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Problem details, RFC 9457.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Which kind of problem; stable.
    #[serde(rename = "type")]
    #[schema(example = "https://exosphere.dev/problems/invalid-request")]
    kind: String,
    /// The kind in words; the same for each `type`.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What is wrong here, and what to change.
    detail: &'a str,
    /// Each wrong field, with a JSON pointer into the body, or the name of a
    /// query parameter after the slash.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new() }
    }

    /// Wrong fields. The detail tells the first, for callers that read no more.
    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let told = |error: &FieldError| match error.pointer.as_str() {
            "" => error.detail.clone(),
            pointer => format!("{pointer}: {}", error.detail),
        };
        let detail = match errors.as_slice() {
            [] => "the request is not valid".to_owned(),
            [only] => told(only),
            [first, ..] => format!("{} (the first of {} errors)", told(first), errors.len()),
        };
        Self { kind: Kind::InvalidRequest, detail, errors }
    }

    /// One wrong field.
    pub(crate) fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(pointer, detail)])
    }

    /// A resource that the tenant does not have.
    pub(crate) fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::new(Kind::NotFound, format!("there is no {kind} {id} in this namespace"))
    }

    /// What became of a change of the resource `id`.
    pub(crate) fn of_change(error: ChangeError, id: impl std::fmt::Display) -> Self {
        match error {
            ChangeError::NotFound(kind) => Self::not_found(kind, id),
            other => other.into(),
        }
    }

    /// The same problem, told of one field as well.
    pub(crate) fn at(mut self, pointer: &str) -> Self {
        self.errors.push(FieldError::new(pointer, self.detail.clone()));
        self
    }

    /// The same problem, seen from a document in which its place is `prefix`.
    pub(crate) fn under(self, prefix: &str) -> Self {
        let errors = self.errors.into_iter().map(|error| error.under(prefix)).collect();
        Self { kind: self.kind, ..Self::invalid(errors) }
    }

    /// Too much of something.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(Kind::TooLarge, detail)
    }

    /// A failure that only the operator can look into. Logged by whoever makes it.
    pub(crate) fn internal() -> Self {
        Self::new(
            Kind::Internal,
            "the server failed; the operator finds the reason in its log under the \
             x-exosphere-request-id of this answer",
        )
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    #[cfg(test)]
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    #[cfg(test)]
    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.errors
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Invalid(errors) => Self::invalid(errors),
            ChangeError::NotFound(kind) => {
                Self::new(Kind::NotFound, format!("there is no such {kind} in this namespace"))
            }
            ChangeError::Conflict(detail) => Self::new(Kind::Conflict, detail),
            ChangeError::Engine(error) => error.into(),
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Sandbox(error) => error.into(),
            other => {
                tracing::error!(error = %other, "a request failed");
                Self::internal()
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a request failed");
        if error.is_unavailable() {
            return Self::new(
                Kind::Unavailable,
                "the database is not available; nothing was stored, send the request again",
            );
        }
        Self::internal()
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        tracing::warn!(%error, "a plugin gave no answer");
        let kind = if error.is_passing() { Kind::Unavailable } else { Kind::PluginFailed };
        Self::new(kind, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind.told();
        let body = ProblemBody {
            kind: format!("{TYPE_PREFIX}{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let content_type = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
        match self.kind {
            Kind::Unauthenticated => {
                let scheme = HeaderValue::from_static("Bearer realm=\"exosphere-alerts\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            Kind::Unavailable => {
                response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn the_detail_tells_the_first_of_several_fields() {
        let errors = vec![FieldError::new("/name", "is empty"), FieldError::new("/url", "is bad")];
        let problem = Problem::invalid(errors);
        assert_eq!(problem.detail(), "/name: is empty (the first of 2 errors)");
        assert_eq!(problem.errors().len(), 2);
    }

    #[test]
    fn an_answer_of_401_names_the_scheme_and_503_a_time() {
        let of = |kind| Problem::new(kind, "x").into_response();
        assert!(of(Kind::Unauthenticated).headers().contains_key(header::WWW_AUTHENTICATE));
        assert!(of(Kind::Unavailable).headers().contains_key(header::RETRY_AFTER));
    }
}
