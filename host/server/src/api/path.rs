//! Ids in paths. A text that is no id names nothing, so it is answered with 404.

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
        let nothing = |detail: String| Problem::new(Kind::NotFound, detail);
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|error| nothing(error.body_text()))?;
        text.parse().map(Self).map_err(|error: T::Err| nothing(error.to_string()))
    }
}
