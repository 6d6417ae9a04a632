//! `POST /v1/session`.

use std::time::Duration;

use alerts_domain::secret::Secret;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::cookie::Reach;
use super::{TAG, cookie, own_page};
use crate::api::body::JsonBody;
use crate::api::caller::{unknown_key, valid_key};
use crate::api::problem::{Kind, Problem};
use crate::connections::Peer;
use crate::sign_in_pace::TooMany;
use crate::state::AppState;

/// What opens a session.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "exo_…"}))]
pub(super) struct NewSession {
    /// An API key.
    #[schema(value_type = String, write_only)]
    key: Secret,
}

/// Sign in
///
/// With an API key; the answer sets the cookie `exosphere_session`. A session lasts
/// twelve hours and never longer than its key. Wrong keys are answered more and more
/// slowly, and then with 429.
#[utoipa::path(post, path = "/v1/session", tag = TAG, request_body = NewSession, security(()),
    responses((status = 204, description = "Somebody is signed in.",
        headers(("set-cookie" = String, description = "The session. HttpOnly, SameSite=Strict.")))))]
pub(super) async fn open_session(
    State(state): State<AppState>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    body: JsonBody<NewSession>,
) -> Result<Response, Problem> {
    own_page::require(&headers, state.site())?;
    turn(&state, peer).await?;
    let key = valid_key(&state, body.value.key.expose()).await?;
    let opened = state.sessions().open(state.engine(), &key).await?;
    let (token, session) = opened.ok_or_else(unknown_key)?;
    state.sign_ins().succeeded(peer.ip());
    let lasts = session.expires_at.duration_since(session.created_at);
    let lasts = Duration::try_from(lasts).unwrap_or_default();
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let reach = Reach::of_key(&headers, state.site());
    cookie::set(answer.headers_mut(), token.expose(), lasts, reach);
    Ok(answer)
}

/// Waits for the turn of a try from this address.
async fn turn(state: &AppState, peer: std::net::SocketAddr) -> Result<(), Problem> {
    let clock = state.engine().clock();
    let wait = state.sign_ins().begin(peer.ip(), clock.monotonic()).map_err(|TooMany| {
        let detail = "too many wrong keys came from this address; wait a little, then try again";
        Problem::new(Kind::TooManyAttempts, detail)
    })?;
    if wait.is_zero() {
        return Ok(());
    }
    tokio::select! {
        () = clock.sleep_until(clock.after(wait)) => Ok(()),
        () = state.stopping().cancelled() => {
            Err(Problem::new(Kind::Unavailable, "this host is stopping; sign in again"))
        }
    }
}
