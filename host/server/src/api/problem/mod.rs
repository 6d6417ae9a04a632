//! Errors as callers see them: RFC 9457 problem details.
//!
//! The one place where what went wrong below becomes an HTTP status. Texts are
//! for the person who must act; what only an operator may know goes to the log.

mod causes;
mod errors;
mod kind;

use alerts_domain::problem::FieldError;
use alerts_engine::ChangeError;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::errors::FieldErrors;
pub(crate) use self::kind::Kind;
use self::kind::TYPE_PREFIX;
use super::version::Versioned;

/// An error on its way to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    kind: Kind,
    detail: String,
    errors: FieldErrors,
    current: Option<Box<Current>>,
}

/// What is stored now, where a change was meant for something else.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Current {
    tag: String,
    resource: Value,
}

/// The type of a problem document.
pub(crate) const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// When to come back after a 503 or a 429, in seconds.
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
    /// How many more fields are wrong than `errors` tells of; absent when it tells all.
    #[serde(skip_serializing_if = "is_zero")]
    more_errors: usize,
    /// With 412: the resource as it is stored now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    current: Option<&'a Value>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: FieldErrors::default(), current: None }
    }

    /// Wrong fields. The detail tells the first, for callers that read no more.
    pub(crate) fn invalid(errors: impl Into<FieldErrors>) -> Self {
        let errors = errors.into();
        let told = |error: &FieldError| match error.pointer.as_str() {
            "" => error.detail.clone(),
            pointer => format!("{pointer}: {}", error.detail),
        };
        let detail = match errors.told() {
            [] => "the request is not valid".to_owned(),
            [only] => told(only),
            [first, ..] => format!("{} (the first of {} errors)", told(first), errors.count()),
        };
        Self { errors, ..Self::new(Kind::InvalidRequest, detail) }
    }

    /// Parts of this host that do not work.
    pub(crate) fn unready(parts: Vec<FieldError>) -> Self {
        Self { kind: Kind::Unavailable, ..Self::invalid(parts) }
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
        Self { kind: self.kind, ..Self::invalid(self.errors.under(prefix)) }
    }

    /// The same problem, with what is stored now.
    pub(crate) fn with_current(mut self, current: &impl Versioned) -> Self {
        let resource = serde_json::to_value(current).unwrap_or_default();
        self.current = Some(Box::new(Current { tag: current.tag().to_owned(), resource }));
        self
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

    /// What a library has answered with this status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or("The request cannot be answered");
        let kind = Kind::ALL.into_iter().find(|kind| kind.told().0 == status);
        match kind {
            Some(kind) => Self::new(kind, format!("{reason}; look at the request's path and head")),
            None if status.is_client_error() => Self::new(Kind::InvalidRequest, reason),
            None => Self::internal(),
        }
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// What is wrong here.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Each wrong field, as far as it is told.
    pub(crate) fn errors(&self) -> &[FieldError] {
        self.errors.told()
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Problem {
    fn body(&self) -> ProblemBody<'_> {
        let (status, name, title) = self.kind.told();
        ProblemBody {
            kind: format!("{TYPE_PREFIX}{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            errors: self.errors.told(),
            more_errors: self.errors.more(),
            current: self.current.as_ref().map(|current| &current.resource),
        }
    }

    /// The document by itself, for an answer that has begun already.
    pub(crate) fn document(&self) -> serde_json::Value {
        serde_json::to_value(self.body()).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, ..) = self.kind.told();
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let tag = self.current.and_then(|current| HeaderValue::try_from(current.tag).ok());
        response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
        match self.kind {
            Kind::Unauthenticated | Kind::NotProven | Kind::KeyExpired | Kind::SessionEnded => {
                let scheme = HeaderValue::from_static("Bearer realm=\"exosphere-alerts\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            }
            Kind::Unavailable
            | Kind::OutcomeUnknown
            | Kind::TooManyAttempts
            | Kind::TooManyRequests => {
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
