//! `Idempotency-Key`: a request that is repeated with the same key gets the
//! answer it got the first time, and is not done again.
//!
//! A key belongs to one API key and one tenant. Answers are kept encrypted: one
//! may hold a secret that is shown this once.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::keyring::Sealed;
use alerts_domain::tenant::TenantId;
use alerts_engine::Actor;
use alerts_store::Idempotency;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::problem::{Kind, Problem};
use crate::state::AppState;

/// Holds the key.
const KEY_HEADER: &str = "idempotency-key";
/// On an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, in bytes: a UUID, with room for a prefix of the caller's.
const MAX_KEY_BYTES: usize = 255;
/// After how long a request that never ended may be done again: its host died.
/// Longer than any request takes.
const STALE_AFTER: Duration = Duration::from_secs(120);

/// The answer to a request that changed something: JSON, so that it can be kept.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        match serde_json::to_vec(body) {
            Ok(body) => Ok(Self { status, body: body.into() }),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                Err(Problem::internal())
            }
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        (self.status, [(header::CONTENT_TYPE, json)], self.body).into_response()
    }
}

/// What a request says about being repeated.
#[derive(Debug)]
pub(crate) struct Once {
    key: Option<String>,
    /// Method and path.
    target: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Once {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let key = match parts.headers.get(KEY_HEADER).map(HeaderValue::to_str) {
            None => None,
            Some(Ok(key)) if (1..=MAX_KEY_BYTES).contains(&key.len()) => Some(key.to_owned()),
            Some(_) => {
                let detail = format!(
                    "the header Idempotency-Key must be 1 to {MAX_KEY_BYTES} visible ASCII \
                     characters; a new UUID for each request does well"
                );
                return Err(Problem::new(Kind::InvalidRequest, detail));
            }
        };
        Ok(Self { key, target: format!("{} {}", parts.method, parts.uri.path()) })
    }
}

impl Once {
    /// Does `work`, unless its answer is known. To the end, even when the caller
    /// hangs up: they will come again and ask for the answer.
    pub(crate) async fn answer(
        self,
        state: &AppState,
        actor: &Actor,
        body: &Bytes,
        work: impl Future<Output = Result<Answer, Problem>> + Send + 'static,
    ) -> Result<Response, Problem> {
        let Some(key) = self.key else {
            return state.to_the_end(work).await.map(Answer::into_response);
        };
        let slot = Slot {
            tenant: actor.tenant.clone(),
            key: format!("{}:{key}", actor.name),
            fingerprint: fingerprint(&self.target, body),
        };
        let within = state.clone();
        state.to_the_end(async move { slot.fill(&within, work).await }).await
    }
}

/// The place where one answer is kept.
struct Slot {
    tenant: TenantId,
    key: String,
    fingerprint: String,
}

impl Slot {
    async fn fill(
        self,
        state: &AppState,
        work: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Response, Problem> {
        let now = state.now();
        let stale = now.saturating_sub(STALE_AFTER).unwrap_or(Timestamp::MIN);
        let taken = state
            .store()
            .take_idempotency_key(&self.tenant, &self.key, &self.fingerprint, now, stale)
            .await?;
        match taken {
            Idempotency::Fresh => self.work(state, work).await,
            Idempotency::Answered { status, sealed_body } => {
                self.replay(state, status, &sealed_body)
            }
            Idempotency::InProgress => Err(Problem::new(
                Kind::Conflict,
                "a request with this Idempotency-Key is being worked on; repeat it in a moment",
            )),
            Idempotency::Mismatch => Err(Problem::new(
                Kind::IdempotencyKeyReused,
                "this Idempotency-Key was used for a request with another path or body; use a \
                 new key for a new request",
            )),
        }
    }

    async fn work(
        &self,
        state: &AppState,
        work: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Response, Problem> {
        let (store, worked) = (state.store(), work.await);
        let noted = match &worked {
            Ok(answer) => {
                let nonce = state.engine().entropy().bytes();
                let sealed = state.keyring().seal(&answer.body, &self.place(), nonce);
                let status = answer.status.as_u16();
                store.keep_idempotent_answer(&self.tenant, &self.key, status, &sealed).await
            }
            Err(_) => store.release_idempotency_key(&self.tenant, &self.key).await,
        };
        if let Err(error) = noted {
            // What was asked for is done; only repeating it is not safe now.
            tracing::error!(%error, "the answer for an Idempotency-Key was not kept");
        }
        worked.map(Answer::into_response)
    }

    fn replay(&self, state: &AppState, status: u16, body: &Sealed) -> Result<Response, Problem> {
        let opened = state.keyring().open(body, &self.place());
        let (Ok(body), Ok(status)) = (opened, StatusCode::from_u16(status)) else {
            tracing::error!(tenant = %self.tenant, "a kept answer does not open");
            return Err(Problem::internal());
        };
        let answer = Answer { status, body: Bytes::copy_from_slice(&body) };
        Ok(([(REPLAYED, HeaderValue::from_static("true"))], answer).into_response())
    }

    fn place(&self) -> String {
        place(&self.tenant, &self.key)
    }
}

/// Binds the ciphertext of a kept answer to its row.
pub(crate) fn place(tenant: &TenantId, key: &str) -> String {
    format!("idempotent-answer\0{tenant}\0{key}")
}

/// Tells one request from another.
fn fingerprint(target: &str, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(target);
    digest.update([0]);
    digest.update(body);
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_path_or_body_is_another_request() {
        let first = fingerprint("POST /v1/webhooks", b"{}");
        assert_eq!(first, fingerprint("POST /v1/webhooks", b"{}"));
        assert_ne!(first, fingerprint("POST /v1/webhooks", b"{ }"));
        assert_ne!(first, fingerprint("POST /v1/alert-rules", b"{}"));
    }
}
