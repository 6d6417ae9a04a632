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
use crate::api::patch::present;
use crate::api::problem::{Kind, Problem};
use crate::connections::Peer;
use crate::pace::TooMany;
use crate::state::AppState;

/// What opens a session: one of the two.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"key": "exo_…"}))]
pub(super) struct NewSession {
    /// An API key.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false, write_only)]
    key: Option<Secret>,
    /// What a portal link has after its `#`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false, write_only)]
    portal_token: Option<Secret>,
}

/// Sign in
///
/// With an API key, or by a portal link, which opens once; the answer sets the cookie
/// `exosphere_session`. A session lasts twelve hours and never longer than the key behind
/// it. Wrong keys are answered more and more slowly, and then with 429.
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
    let (sessions, engine, site) = (state.sessions(), state.engine(), state.site());
    let (token, session, reach) = match (body.value.key, body.value.portal_token) {
        (Some(key), None) => {
            turn(&state, peer).await?;
            let key = valid_key(&state, key.expose()).await?;
            let opened = sessions.open(engine, &key).await?;
            let (token, session) = opened.ok_or_else(unknown_key)?;
            (token, session, Reach::of_key(&headers, site))
        }
        (None, Some(link)) => {
            turn(&state, peer).await?;
            let opened = sessions.open_link(engine, link.expose()).await?;
            let (token, session) = opened.ok_or_else(unknown_link)?;
            (token, session, Reach::of_link(&headers, site))
        }
        (None, None) => {
            return Err(Problem::field("/key", "missing: send an API key, or a `portal_token`"));
        }
        (Some(_), Some(_)) => {
            return Err(Problem::field("/portal_token", "send either this or `key`"));
        }
    };
    state.sign_ins().succeeded(peer.ip());
    let lasts = session.expires_at.duration_since(session.created_at);
    let lasts = Duration::try_from(lasts).unwrap_or_default();
    let mut answer = StatusCode::NO_CONTENT.into_response();
    cookie::set(answer.headers_mut(), token.expose(), lasts, reach, site);
    Ok(answer)
}

fn unknown_link() -> Problem {
    let detail = "the link was opened before, or its time is over; ask for a new one";
    Problem::new(Kind::Unauthenticated, detail)
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
