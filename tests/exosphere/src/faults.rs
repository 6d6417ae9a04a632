//! What can be wrong with a state-manager, or with what is in its place.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

/// What is wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Its secret was changed.
    OtherKey,
    /// Its database is gone: so long after the request it answers with 500.
    DatabaseGone(Duration),
    /// The connection breaks in the middle of each answer.
    Reset,
    /// Another service answers: a page for people.
    OtherService,
    /// It redirects to where it is not.
    Redirects,
    /// It answers with what is nearly what was asked.
    NearlyJson,
}

impl Fault {
    /// What it makes of a request; nothing when it is answered as ever.
    pub(crate) async fn answer(self) -> Option<Response> {
        Some(match self {
            Self::None => return None,
            Self::OtherKey => unauthorized(),
            Self::DatabaseGone(after) => {
                tokio::time::sleep(after).await;
                internal_error()
            }
            Self::Reset => {
                let broken = [Ok("{\"total\""), Err(io::Error::other("reset"))];
                Body::from_stream(stream::iter(broken)).into_response()
            }
            Self::OtherService => {
                ([(header::CONTENT_TYPE, "text/html")], "<html>Welcome</html>").into_response()
            }
            Self::Redirects => {
                let to = [(header::LOCATION, "http://127.0.0.1:9/v0/elsewhere")];
                (StatusCode::TEMPORARY_REDIRECT, to).into_response()
            }
            Self::NearlyJson => axum::Json(json!({"total": "many", "runs": []})).into_response(),
        })
    }
}

/// A missing key and a wrong one are answered alike.
pub(crate) fn unauthorized() -> Response {
    let body = json!({"detail": "Invalid API key"});
    (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response()
}

/// Whatever it did not expect.
pub(crate) fn internal_error() -> Response {
    let body = json!({"success": false, "detail": "internal server error"});
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(body)).into_response()
}
