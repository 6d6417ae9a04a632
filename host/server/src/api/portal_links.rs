//! `POST /v1/portal-links`: a link that opens the dashboard in one namespace, once, for
//! somebody who has no key. A page of the platform shows it in a frame, or sends it.

use std::time::Duration;

use alerts_domain::Timestamp;
use alerts_domain::api_key::Role;
use alerts_domain::id::PortalLinkId;
use alerts_domain::problem::FieldError;
use alerts_domain::session::{PortalLink, Theme};
use alerts_store::LinkCreation;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::JsonBody;
use super::caller::{Admin, unknown_key};
use super::idempotency::{Answer, Once};
use super::problem::{Kind, Problem};
use super::proxy;
use crate::sessions::NewLink;
use crate::state::AppState;

/// The tag of this group in the document.
const TAG: &str = "Sessions";
/// The page that opens a link. What follows is the token: no browser sends it to the
/// host, so that it stands in no log, nor tells it to another site.
const PAGE: &str = "/settings/alerts/portal#";
/// Longest address to lead back to, in bytes: what common servers take.
const MAX_RETURN_URL_BYTES: usize = 2048;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::default().routes(routes!(create_portal_link))
}

/// A new portal link.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"role": "viewer", "expires_in_s": 300, "theme": "dark"}))]
struct NewPortalLink {
    /// How far whoever opens it reaches: `viewer` or `editor`.
    role: Role,
    /// For how many seconds it can be opened. The session that it opens lasts as long as
    /// any other.
    #[schema(minimum = 1, maximum = 604800)]
    expires_in_s: u64,
    /// How the page looks; the person's own choice when absent.
    theme: Option<Theme>,
    /// A colour in place of the platform's own.
    #[schema(pattern = "^#[0-9a-fA-F]{6}$", example = "#87ceeb")]
    accent: Option<String>,
    /// Where the page leads back to: an `https` address, or `http`.
    #[schema(example = "https://exosphere.example.com/settings")]
    return_url: Option<String>,
}

impl NewPortalLink {
    fn problems(&self) -> Vec<FieldError> {
        let mut problems = Vec::new();
        let mut wrong = |pointer: &str, detail: String| {
            problems.push(FieldError::new(pointer, detail));
        };
        if !matches!(self.role, Role::Viewer | Role::Editor) {
            wrong(
                "/role",
                "must be `viewer` or `editor`; who manages keys signs in with one".into(),
            );
        }
        let longest = PortalLink::MAX_EXPIRES_IN_S;
        if !(1..=longest).contains(&self.expires_in_s) {
            wrong("/expires_in_s", format!("must be from 1 to {longest}"));
        }
        if self.accent.as_deref().is_some_and(|accent| !is_colour(accent)) {
            wrong("/accent", "must be a colour like #87ceeb".into());
        }
        if self.return_url.as_deref().is_some_and(|url| !is_link(url)) {
            let detail = format!(
                "must be a whole http or https address of at most {MAX_RETURN_URL_BYTES} bytes, \
                 without a user name or password"
            );
            wrong("/return_url", detail);
        }
        problems
    }
}

fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Whether a person may be led there: an address that runs as a script is none.
fn is_link(text: &str) -> bool {
    let is_plain = |url: Url| {
        let names_nobody = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && url.host().is_some() && names_nobody
    };
    text.len() <= MAX_RETURN_URL_BYTES && Url::parse(text).is_ok_and(is_plain)
}

/// A link that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PortalLink)]
struct PortalLinkView {
    /// Stands in the audit log as the actor of whoever opens it.
    id: PortalLinkId,
    /// Opens the dashboard, once. Shown this once.
    #[schema(example = "https://alerts.example.com/settings/alerts/portal#exo_portal_…")]
    url: String,
    /// Until when it can be opened.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Create a portal link
///
/// For somebody who has no key: the link opens the dashboard once, in one namespace, with
/// the role `viewer` or `editor`. It ends, and so does what it has opened, with the key
/// that made it. Needs the role `admin`; a platform key names the namespace.
#[utoipa::path(post, path = "/v1/portal-links", tag = TAG, request_body = NewPortalLink,
    params(("idempotency-key" = Option<String>, Header, description = "Makes repeating safe.")),
    responses((status = 201, description = "The link.", body = PortalLinkView)))]
async fn create_portal_link(
    State(state): State<AppState>,
    Admin(caller): Admin,
    headers: HeaderMap,
    once: Once,
    body: JsonBody<NewPortalLink>,
) -> Result<Response, Problem> {
    let (actor, asked) = (caller.act(Role::Admin)?, body.value);
    let problems = asked.problems();
    if !problems.is_empty() {
        return Err(Problem::invalid(problems));
    }
    let host = proxy::public_url(&headers, state.site()).ok_or_else(|| {
        let detail = "where browsers reach this host is not known: let the request have the \
                      header Host, or set ALERTS_PUBLIC_URL";
        Problem::new(Kind::InvalidRequest, detail)
    })?;
    let new = NewLink {
        api_key_id: caller.key(),
        role: asked.role,
        expires_in: Duration::from_secs(asked.expires_in_s),
        theme: asked.theme,
        accent: asked.accent,
        return_url: asked.return_url,
    };
    let work = async {
        let (token, link, created) =
            state.sessions().make_link(state.engine(), &actor, new).await?;
        match created {
            LinkCreation::Created => {}
            LinkCreation::KeyGone => return Err(unknown_key()),
            LinkCreation::TooMany => {
                let detail = format!(
                    "{} links of this namespace wait to be opened; let them be opened or expire",
                    PortalLink::MOST_UNOPENED
                );
                return Err(Problem::new(Kind::Conflict, detail));
            }
        }
        let url = format!("{host}{PAGE}{}", token.expose());
        let view = PortalLinkView { id: link.portal.link, url, expires_at: link.expires_at };
        Answer::json(StatusCode::CREATED, &view)
    };
    once.answer(&state, &actor, &body.raw, work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_gives_nobody_more_than_an_editor_may_and_leads_back_to_no_script() {
        let pointers = |json: &str| {
            let asked: NewPortalLink = serde_json::from_str(json).unwrap();
            asked.problems().into_iter().map(|problem| problem.pointer).collect::<Vec<_>>()
        };
        let good = r##"{"role": "editor", "expires_in_s": 60, "theme": "dark", "accent": "#87CEEB",
            "return_url": "https://exosphere.example.com/x?y#z"}"##;
        assert!(pointers(good).is_empty());
        for (json, pointer) in [
            (r#"{"role": "admin", "expires_in_s": 60}"#, "/role"),
            (r#"{"role": "platform", "expires_in_s": 60}"#, "/role"),
            (r#"{"role": "viewer", "expires_in_s": 0}"#, "/expires_in_s"),
            (r#"{"role": "viewer", "expires_in_s": 604801}"#, "/expires_in_s"),
            (r#"{"role": "viewer", "expires_in_s": 1, "accent": "red;}"}"#, "/accent"),
            (
                r#"{"role": "viewer", "expires_in_s": 1, "return_url": "javascript:x"}"#,
                "/return_url",
            ),
            (r#"{"role": "viewer", "expires_in_s": 1, "return_url": "/x"}"#, "/return_url"),
            (
                r#"{"role": "viewer", "expires_in_s": 1, "return_url": "https://a:b@c"}"#,
                "/return_url",
            ),
        ] {
            assert_eq!(pointers(json), [pointer], "{json}");
        }
    }
}
