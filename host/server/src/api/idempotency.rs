//! `Idempotency-Key`: a request that is repeated with the same key gets the
//! answer it got the first time, and is not done again.
//!
//! A key belongs to one API key and one tenant. Answers are kept encrypted: one
//! may hold a secret that is shown this once.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::tenant::TenantId;
use alerts_engine::Actor;
use alerts_store::{Idempotency, KeptAnswer, Taken};
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::problem::{Kind, Problem};
use super::version;
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
        // Found in the body, since an answer that is given again is kept as its body.
        let tag = version::tag_within(&self.body);
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], self.body).into_response();
        response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
        response
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
    /// Does `work`, unless its answer is known.
    pub(crate) async fn answer(
        self,
        state: &AppState,
        actor: &Actor,
        body: &Bytes,
        work: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Response, Problem> {
        self.answer_or_find(state, actor, body, work, async |_| Ok(None)).await
    }

    /// The same. Where the work was done and its answer was lost, `find` makes it
    /// again of what is stored under the given id.
    pub(crate) async fn answer_or_find(
        self,
        state: &AppState,
        actor: &Actor,
        body: &Bytes,
        work: impl Future<Output = Result<Answer, Problem>>,
        find: impl AsyncFnOnce(&str) -> Result<Option<Answer>, Problem>,
    ) -> Result<Response, Problem> {
        let Some(key) = self.key else { return work.await.map(Answer::into_response) };
        let (tenant, key) = (&actor.tenant, format!("{}:{key}", actor.name));
        let now = state.now();
        let stale = now.saturating_sub(STALE_AFTER).unwrap_or(Timestamp::MIN);
        let fingerprint = fingerprint(&self.target, body);
        let store = state.store();
        match store.take_idempotency_key(tenant, &key, &fingerprint, now, stale).await? {
            Idempotency::Fresh(taken) => first_time(state, taken, work).await,
            Idempotency::Answered(kept) => again(state, tenant, &key, &kept),
            Idempotency::InProgress => Err(Problem::new(
                Kind::Conflict,
                "a request with this Idempotency-Key is being worked on; repeat it in a moment",
            )),
            Idempotency::Done(resource) => match find(&resource).await? {
                Some(answer) => Ok(replayed(answer)),
                None => Err(Problem::new(
                    Kind::Conflict,
                    format!(
                        "the request with this Idempotency-Key was done, and its answer was lost \
                         with the host or its database: see what became of `{resource}`. A secret \
                         that was to be shown once must be replaced"
                    ),
                )),
            },
            Idempotency::Mismatch => Err(Problem::new(
                Kind::IdempotencyKeyReused,
                "this Idempotency-Key was used for a request with another path or body; use a \
                 new key for a new request",
            )),
        }
    }
}

/// Does the work, and keeps its answer.
async fn first_time(
    state: &AppState,
    taken: Taken,
    work: impl Future<Output = Result<Answer, Problem>>,
) -> Result<Response, Problem> {
    let (store, worked) = (state.store(), taken.clone().hold(work).await);
    let noted = match &worked {
        Ok(answer) => {
            let nonce = state.engine().entropy().bytes();
            let place = place(&taken.tenant, &taken.key);
            let sealed_body = state.keyring().seal(&answer.body, &place, nonce);
            let kept = KeptAnswer { kind: answer.status.as_u16(), sealed_body };
            store.keep_idempotent_answer(&taken, &kept).await.map(drop)
        }
        // Also when it is not known whether it was done: if so, the key is marked as
        // used by the change itself, and stays. The database lets nobody look at it
        // before that change has ended.
        Err(_) => store.release_idempotency_key(&taken).await,
    };
    if let Err(error) = noted {
        tracing::error!(%error, "what became of an Idempotency-Key was not written down");
    }
    worked.map(Answer::into_response)
}

/// The answer that was given the first time.
fn again(
    state: &AppState,
    tenant: &TenantId,
    key: &str,
    kept: &KeptAnswer,
) -> Result<Response, Problem> {
    let opened = state.keyring().open(&kept.sealed_body, &place(tenant, key));
    let (Ok(body), Ok(status)) = (opened, StatusCode::from_u16(kept.kind)) else {
        tracing::error!(%tenant, "a kept answer does not open");
        return Err(Problem::internal());
    };
    let answer = Answer { status, body: Bytes::copy_from_slice(&body) };
    Ok(replayed(answer))
}

fn replayed(answer: Answer) -> Response {
    ([(REPLAYED, HeaderValue::from_static("true"))], answer).into_response()
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
