//! Reading query parameters: unknown ones are refused by name, as in bodies.

use alerts_domain::problem::FieldError;
use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::body::pointer;
use super::plain::plain;
use super::problem::Problem;

/// The query, as a struct that denies unknown fields.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    // None is part of anything that could be found, and Postgres takes no U+0000.
    let control = |text: &str| text.chars().any(char::is_control);
    if let Some((name, _)) = pairs.clone().find(|(name, value)| control(name) || control(value)) {
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        return Err(Problem::field(format!("/{name}"), "must not hold control characters"));
    }
    let reader = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let pointer = pointer(error.path());
        let detail = plain(error.into_inner().to_string());
        let hint = if query.contains('+') && detail.contains("unparsed input") {
            "; write `+` as %2B in a query"
        } else {
            ""
        };
        let unknown =
            detail.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        let pointer = match unknown {
            Some(name) if pointer.is_empty() => format!("/{name}"),
            _ => pointer,
        };
        Problem::invalid(vec![FieldError::new(pointer, format!("{detail}{hint}"))])
    })
}

#[cfg(test)]
mod tests {
    use alerts_domain::Timestamp;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        limit: Option<u32>,
        from: Option<Timestamp>,
    }

    #[test]
    fn parameters_are_read_and_may_be_left_out() {
        let wanted: Wanted = parse("limit=7&from=2026-01-01T00:00:00%2B02:00").unwrap();
        assert_eq!(wanted.limit, Some(7));
        assert_eq!(wanted.from.unwrap().to_string(), "2025-12-31T22:00:00Z");
        assert_eq!(parse::<Wanted>("").unwrap().limit, None);
    }

    #[test]
    fn wrong_and_unknown_parameters_are_named() {
        let pointer = |query| parse::<Wanted>(query).unwrap_err().errors()[0].pointer.clone();
        assert_eq!(pointer("limit=x"), "/limit");
        assert_eq!(pointer("limti=1"), "/limti");
        assert_eq!(pointer("from=yesterday"), "/from");
        assert_eq!(pointer("from=%00"), "/from");
        assert_eq!(pointer("fr%00om=1"), "/from");
    }
}
