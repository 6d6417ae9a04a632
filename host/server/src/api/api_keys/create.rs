//! `POST /v1/api-keys`.

use alerts_domain::Timestamp;
use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::problem::FieldError;
use alerts_domain::tenant::TenantId;
use alerts_engine::Actor;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{ApiKeyView, TAG};
use crate::api::body::JsonBody;
use crate::api::caller::{Admin, NAMESPACE_HEADER};
use crate::api::idempotency::{Answer, Once};
use crate::api::problem::Problem;
use crate::keys::NewKey;
use crate::state::AppState;

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 200;

/// A new API key.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "CI of the payments team", "role": "editor"}))]
pub(super) struct NewApiKey {
    /// For people.
    name: String,
    /// How far it reaches. Each role may do all that lesser ones may.
    role: Role,
    /// When it stops working; never when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl NewApiKey {
    fn problems(&self, tenant: Option<&TenantId>, now: Timestamp) -> Vec<FieldError> {
        let mut problems = Vec::new();
        let chars = self.name.chars().count();
        if !(1..=MAX_NAME_CHARS).contains(&chars) || self.name.chars().any(char::is_control) {
            let detail =
                format!("must be 1 to {MAX_NAME_CHARS} characters without control characters");
            problems.push(FieldError::new("/name", detail));
        }
        match (tenant, self.role) {
            (Some(_), Role::Platform) => problems.push(FieldError::new(
                "/role",
                format!(
                    "a namespace's key is `viewer`, `editor` or `admin`; a platform key is made \
                     with a platform key and without the header {NAMESPACE_HEADER}"
                ),
            )),
            (None, Role::Viewer | Role::Editor | Role::Admin) => problems.push(FieldError::new(
                "/role",
                format!(
                    "without the header {NAMESPACE_HEADER} this makes a platform key, whose role \
                     is `platform`; send the header to make a namespace's key"
                ),
            )),
            _ => {}
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            problems.push(FieldError::new("/expires_at", "must lie in the future"));
        }
        problems
    }
}

/// A key just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CreatedApiKey {
    /// The key itself, shown this once.
    #[schema(example = "exo_0123…")]
    key: String,
    #[serde(flatten)]
    about: ApiKeyView,
}

/// Create an API key
///
/// The answer holds the key in `key`. It is shown this once. Needs the role
/// `admin`.
#[utoipa::path(post, path = "/v1/api-keys", tag = TAG, request_body = NewApiKey,
    params(("idempotency-key" = Option<String>, Header, description = "Makes repeating safe.")),
    responses((status = 201, description = "The key.", body = CreatedApiKey)))]
pub(super) async fn create_api_key(
    State(state): State<AppState>,
    Admin(caller): Admin,
    once: Once,
    body: JsonBody<NewApiKey>,
) -> Result<Response, Problem> {
    let (tenant, asked) = (caller.tenant()?.cloned(), body.value);
    let problems = asked.problems(tenant.as_ref(), state.now());
    if !problems.is_empty() {
        return Err(Problem::invalid(problems));
    }
    let actor = Actor { tenant: answer_owner(tenant.as_ref())?, name: caller.name() };
    let within = state.clone();
    let work = async move {
        let secret = KeyDigest::generate_key(within.engine().entropy().bytes());
        let new = NewKey {
            tenant,
            name: asked.name,
            role: asked.role,
            secret: secret.clone(),
            expires_at: asked.expires_at,
            created_by: caller.name(),
        };
        let made: ApiKey = within.keys().create(within.engine(), new).await?;
        let view = CreatedApiKey { key: secret.expose().to_owned(), about: (&made).into() };
        Answer::json(StatusCode::CREATED, &view)
    };
    once.answer(&state, &actor, &body.raw, work).await
}

/// Under which tenant the answer for an idempotency key is kept. Platform keys
/// belong to none; the key's own id keeps their answers apart.
fn answer_owner(tenant: Option<&TenantId>) -> Result<TenantId, Problem> {
    match tenant {
        Some(tenant) => Ok(tenant.clone()),
        None => TenantId::new("platform").map_err(|error| Problem::invalid(vec![error])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_has_no_platform_keys_and_the_platform_no_others() {
        let now = Timestamp::UNIX_EPOCH;
        let tenant = TenantId::new("a").unwrap();
        let pointers = |role, tenant, expires_at| {
            let asked = NewApiKey { name: "x".into(), role, expires_at };
            let problems = asked.problems(tenant, now);
            problems.into_iter().map(|problem| problem.pointer).collect::<Vec<_>>()
        };
        assert_eq!(pointers(Role::Platform, Some(&tenant), None), ["/role"]);
        assert_eq!(pointers(Role::Admin, None, None), ["/role"]);
        assert!(pointers(Role::Admin, Some(&tenant), None).is_empty());
        assert!(pointers(Role::Platform, None, None).is_empty());
        assert_eq!(pointers(Role::Viewer, Some(&tenant), Some(now)), ["/expires_at"]);
    }
}
