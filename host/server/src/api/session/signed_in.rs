//! A person who is signed in: the session that a request's cookie belongs to.

use std::sync::Arc;

use alerts_domain::secret::Secret;
use alerts_domain::session::Session;
use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{cookie, own_page};
use crate::api::problem::{Kind, Problem};
use crate::state::AppState;

/// A session that is open. A change that it is to make is meant by its own page.
pub(crate) struct SignedIn {
    pub(crate) session: Arc<Session>,
    /// Of the cookie.
    pub(crate) token: Secret,
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let token = cookie::presented(&parts.headers).ok_or_else(|| {
            let detail = "nobody is signed in: POST /v1/session with an API key";
            Problem::new(Kind::Unauthenticated, detail)
        })?;
        let found = state.sessions().get(token).await?;
        let session = found.filter(|session| session.is_open_at(state.now())).ok_or_else(|| {
            let detail = "the session has ended, or its API key was revoked; sign in again";
            Problem::new(Kind::SessionEnded, detail)
        })?;
        match parts.method.is_safe() {
            true => own_page::require_same(&parts.headers, token)?,
            false => own_page::require_proof(&parts.headers, state.site(), token)?,
        }
        Ok(Self { session, token: Secret::new(token) })
    }
}
