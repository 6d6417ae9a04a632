//! Names and ids in paths. A text that is none names nothing, so it is answered
//! with 404.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use super::problem::{Kind, Problem};

/// The `{id}` of a path.
pub(crate) struct PathId<T>(pub(crate) T);

impl<S: Send + Sync, T> FromRequestParts<S> for PathId<T>
where
    T: FromStr<Err: Display>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let PathText(text) = PathText::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|error: T::Err| nothing(error.to_string()))
    }
}

/// The only variable part of a path, as text.
pub(crate) struct PathText(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| nothing(error.body_text()))?;
        match text.chars().any(char::is_control) {
            true => Err(nothing("no name holds control characters".to_owned())),
            false => Ok(Self(text)),
        }
    }
}

fn nothing(detail: String) -> Problem {
    Problem::new(Kind::NotFound, detail)
}
