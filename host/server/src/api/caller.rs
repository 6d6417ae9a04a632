//! Who is asking, for whom, and how far that reaches.
//!
//! A tenant's key acts for its tenant. A platform key acts for any tenant, named
//! by a header. A person's session acts as the key behind it. What a request needs is said by its handler's arguments: a
//! [`Viewer`], an [`Editor`], an [`Admin`], or a [`Caller`] whose reach it asks for
//! itself.

use std::sync::Arc;

use alerts_domain::api_key::{ApiKey, KeyDigest, Role};
use alerts_domain::id::ApiKeyId;
use alerts_domain::session::Session;
use alerts_domain::tenant::TenantId;
use alerts_engine::Actor;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};

use super::problem::{Kind, Problem};
use super::session::cookie;
use super::session::signed_in::SignedIn;
use crate::state::AppState;

/// Names the tenant that a platform key acts for.
pub(crate) const NAMESPACE_HEADER: &str = "x-exosphere-namespace";
/// Holds the key; `Authorization: Bearer` does as well.
pub(crate) const KEY_HEADER: &str = "x-api-key";

/// A caller with a valid key, or with a session that is open.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    credential: Credential,
    /// From the header.
    namespace: Option<TenantId>,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        // A key is meant; a browser sends its cookie with whatever it is asked for.
        let credential = match presented_key(&parts.headers) {
            Some(key) => Credential::Key(valid_key(state, key).await?),
            None if cookie::presented(&parts.headers).is_some() => {
                Credential::Session(SignedIn::from_request_parts(parts, state).await?.session)
            }
            None => {
                let detail = "send an API key in the header x-api-key, or as Authorization: Bearer";
                return Err(Problem::new(Kind::Unauthenticated, detail));
            }
        };
        Ok(Self { credential, namespace: named_namespace(&parts.headers)? })
    }
}

/// By what a caller is known.
#[derive(Debug, Clone)]
enum Credential {
    Key(Arc<ApiKey>),
    Session(Arc<Session>),
}

impl Credential {
    fn role(&self) -> Role {
        match self {
            Self::Key(key) => key.role,
            Self::Session(session) => session.role,
        }
    }

    fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Key(key) => key.tenant.as_ref(),
            Self::Session(session) => session.tenant.as_ref(),
        }
    }

    /// Who acts, for the audit log.
    fn actor(&self) -> String {
        match self {
            Self::Key(key) => key.id.to_string(),
            Self::Session(session) => session.actor(),
        }
    }
}

/// The key that a caller has sent, if it works now.
pub(super) async fn valid_key(state: &AppState, presented: &str) -> Result<Arc<ApiKey>, Problem> {
    // Who holds an expired key may know that it was one: nobody guesses 32
    // random bytes. A revoked key is forgotten, and so looks like any text that
    // never was a key: a thief learns nothing from trying it.
    let found = state.keys().get(&KeyDigest::of(presented)).await?;
    let key = found.ok_or_else(unknown_key)?;
    match key.expires_at {
        Some(end) if !key.is_valid_at(state.now()) => {
            let detail = format!("the API key {} expired at {end}; ask for a new one", key.id);
            Err(Problem::new(Kind::KeyExpired, detail))
        }
        _ => Ok(key),
    }
}

/// No key is known by what a caller has sent.
pub(super) fn unknown_key() -> Problem {
    let detail = "the API key is not known here: it was revoked, or mistyped";
    Problem::new(Kind::Unauthenticated, detail)
}

fn presented_key(headers: &HeaderMap) -> Option<&str> {
    let readable = |value: &'_ http::HeaderValue| value.to_str().is_ok_and(|text| !text.is_empty());
    if let Some(value) = headers.get(KEY_HEADER).filter(|value| readable(value)) {
        return value.to_str().ok();
    }
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    bearer
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
}

fn named_namespace(headers: &HeaderMap) -> Result<Option<TenantId>, Problem> {
    let Some(value) = headers.get(NAMESPACE_HEADER) else { return Ok(None) };
    let wrong = |detail: &str| {
        Problem::new(Kind::InvalidRequest, format!("the header {NAMESPACE_HEADER}: {detail}"))
    };
    let name = std::str::from_utf8(value.as_bytes()).map_err(|_| wrong("must be UTF-8"))?;
    TenantId::new(name).map(Some).map_err(|error| wrong(&error.detail))
}

impl Caller {
    /// The key's id, or the portal link's: the actor in the audit log.
    pub(crate) fn name(&self) -> String {
        self.credential.actor()
    }

    /// The key, or the one behind the session.
    pub(crate) fn key(&self) -> ApiKeyId {
        match &self.credential {
            Credential::Key(key) => key.id,
            Credential::Session(session) => session.api_key_id,
        }
    }

    /// Whether the caller reaches as far as `needed`.
    pub(crate) fn require(&self, needed: Role) -> Result<(), Problem> {
        let role = self.credential.role();
        if role >= needed {
            return Ok(());
        }
        let detail = format!(
            "this needs a key with the role `{needed}`; {} has the role `{role}`",
            self.name()
        );
        Err(Problem::new(Kind::Forbidden, detail))
    }

    /// The tenant that key and header name together; none for a platform key
    /// without the header.
    pub(crate) fn tenant(&self) -> Result<Option<&TenantId>, Problem> {
        self.tenant_also_named(self.namespace.as_ref())
    }

    /// The tenant of an event that may itself name one.
    pub(crate) fn tenant_of_event(&self, named: Option<&TenantId>) -> Result<TenantId, Problem> {
        const POINTER: &str = "/namespace";
        let of_request = self.tenant()?;
        let of_event = self.tenant_also_named(named).map_err(|problem| problem.at(POINTER))?;
        match (of_request, of_event) {
            (Some(header), Some(event)) if header != event => {
                let detail = format!(
                    "names `{event}` while the header {NAMESPACE_HEADER} names `{header}`; leave \
                     one of them out"
                );
                Err(Problem::field(POINTER, detail))
            }
            (of_request, of_event) => of_event.or(of_request).cloned().ok_or_else(|| {
                let detail = format!(
                    "say whose event it is: in its attribute `namespace`, or in the header \
                     {NAMESPACE_HEADER}"
                );
                Problem::new(Kind::NamespaceRequired, detail).at(POINTER)
            }),
        }
    }

    fn tenant_also_named<'a>(
        &'a self,
        named: Option<&'a TenantId>,
    ) -> Result<Option<&'a TenantId>, Problem> {
        match (self.credential.tenant(), named) {
            // Says nothing on whether the other namespace exists.
            (Some(own), Some(named)) if own != named => Err(Problem::new(
                Kind::Forbidden,
                format!("{} belongs to another namespace than `{named}`", self.name()),
            )),
            (Some(own), _) => Ok(Some(own)),
            (None, named) => Ok(named),
        }
    }

    /// For a tenant's resources.
    pub(crate) fn act(&self, needed: Role) -> Result<Actor, Problem> {
        self.require(needed)?;
        let tenant = self.tenant()?.cloned().ok_or_else(|| {
            let detail = format!("a platform key acts for the namespace that the header {NAMESPACE_HEADER} names; send it");
            Problem::new(Kind::NamespaceRequired, detail)
        })?;
        Ok(Actor { tenant, name: self.name() })
    }
}

macro_rules! acting {
    ($(#[$doc:meta])* $name:ident, $role:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name(pub(crate) Actor);

        impl FromRequestParts<AppState> for $name {
            type Rejection = Problem;

            async fn from_request_parts(
                parts: &mut Parts,
                state: &AppState,
            ) -> Result<Self, Problem> {
                Caller::from_request_parts(parts, state).await?.act(Role::$role).map(Self)
            }
        }
    };
}

acting!(
    /// May read a tenant's resources.
    Viewer, Viewer
);
acting!(
    /// May change them.
    Editor, Editor
);

/// May manage the keys of a tenant, or of the platform.
#[derive(Debug)]
pub(crate) struct Admin(pub(crate) Caller);

impl FromRequestParts<AppState> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require(Role::Admin)?;
        Ok(Self(caller))
    }
}

#[cfg(test)]
mod tests {
    use alerts_domain::Timestamp;

    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    fn caller(role: Role, own: Option<&str>, header: Option<&str>) -> Caller {
        let key = ApiKey {
            id: ApiKeyId::new(Timestamp::UNIX_EPOCH, 1),
            tenant: own.map(tenant),
            name: "test".into(),
            role,
            digest: KeyDigest::of("x"),
            created_by: "system".into(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
        };
        Caller { credential: Credential::Key(Arc::new(key)), namespace: header.map(tenant) }
    }

    fn refused<T: std::fmt::Debug>(result: Result<T, Problem>) -> Kind {
        result.unwrap_err().kind()
    }

    #[test]
    fn a_tenants_key_acts_for_its_tenant_alone() {
        let own = |header| caller(Role::Editor, Some("a"), header);
        assert_eq!(own(None).act(Role::Viewer).unwrap().tenant, tenant("a"));
        assert_eq!(own(Some("a")).act(Role::Editor).unwrap().tenant, tenant("a"));
        assert_eq!(refused(own(Some("b")).act(Role::Viewer)), Kind::Forbidden);
        assert_eq!(refused(own(None).act(Role::Admin)), Kind::Forbidden);
    }

    #[test]
    fn a_platform_key_acts_for_whom_it_names() {
        let platform = |header| caller(Role::Platform, None, header);
        assert_eq!(platform(Some("b")).act(Role::Admin).unwrap().tenant, tenant("b"));
        assert_eq!(refused(platform(None).act(Role::Viewer)), Kind::NamespaceRequired);
    }

    #[test]
    fn an_event_may_name_its_tenant_but_not_contradict_the_header() {
        let platform = |header| caller(Role::Platform, None, header);
        let of = |caller: Caller, named: Option<&str>| {
            caller.tenant_of_event(named.map(tenant).as_ref())
        };
        assert_eq!(of(platform(None), Some("a")).unwrap(), tenant("a"));
        assert_eq!(of(platform(Some("a")), None).unwrap(), tenant("a"));
        assert_eq!(of(platform(Some("a")), Some("a")).unwrap(), tenant("a"));
        assert_eq!(refused(of(platform(Some("a")), Some("b"))), Kind::InvalidRequest);
        assert_eq!(refused(of(platform(None), None)), Kind::NamespaceRequired);

        let own = || caller(Role::Editor, Some("a"), None);
        assert_eq!(of(own(), None).unwrap(), tenant("a"));
        assert_eq!(of(own(), Some("a")).unwrap(), tenant("a"));
        assert_eq!(refused(of(own(), Some("b"))), Kind::Forbidden);
    }

    #[test]
    fn a_key_is_read_from_either_header() {
        let read = |name: &'static str, value: &'static str| {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
            presented_key(&headers).map(str::to_owned)
        };
        assert_eq!(read("x-api-key", "exo_1").unwrap(), "exo_1");
        assert_eq!(read("authorization", "Bearer exo_1").unwrap(), "exo_1");
        assert_eq!(read("authorization", "bearer  exo_1").unwrap(), "exo_1");
        assert_eq!(read("authorization", "Basic exo_1"), None);
        assert_eq!(read("x-api-key", ""), None);
    }
}
