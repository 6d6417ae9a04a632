//! `POST /v1/sources/{id}/try`: what a sample request would become.

use std::collections::BTreeMap;

use alerts_domain::id::SourceId;
use alerts_domain::source::Mapping;
use alerts_sources::{Incoming, Made};
use axum::Json;
use axum::extract::State;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::TAG;
use super::receive::problem;
use crate::api::body::JsonBody;
use crate::api::caller::Editor;
use crate::api::path::PathId;
use crate::api::problem::Problem;
use crate::state::AppState;

/// A sample of what the sender posts.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "headers": {"X-GitHub-Event": "workflow_run"},
    "body": {"action": "completed", "workflow_run": {"id": 1, "conclusion": "failure"},
        "repository": {"full_name": "ada/engine"}}
}))]
pub(super) struct SampleRequest {
    /// Its body.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
    /// Its headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The parameters of its query.
    #[serde(default)]
    query: BTreeMap<String, String>,
    /// Of a source of kind `mapped`: another mapping than the stored one, to be tried before it
    /// is saved.
    mapping: Option<Mapping>,
}

/// What a sample would become.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = TriedSource)]
pub(super) struct Tried {
    /// The event; null when the request would be ignored.
    #[schema(value_type = Option<Object>)]
    event: Option<Value>,
    /// Why no event would be made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<String>,
}

/// Try a webhook in
///
/// The event that a sample request would become, or why it would become none: with the
/// expression and what it gives, where that is no part of an event. No signature is asked for,
/// and nothing is stored.
#[utoipa::path(post, path = "/v1/sources/{id}/try", tag = TAG,
    params(("id" = String, Path, description = "Of a webhook in.")), request_body = SampleRequest,
    responses((status = 200, description = "What it would become.", body = Tried)))]
pub(super) async fn try_source(
    State(state): State<AppState>,
    Editor(actor): Editor,
    PathId(id): PathId<SourceId>,
    body: JsonBody<SampleRequest>,
) -> Result<Json<Tried>, Problem> {
    let SampleRequest { body, headers, query, mapping } = body.value;
    let sources = state.webhook_sources();
    let found = sources.get(&actor, id).await.map_err(|error| Problem::of_change(error, id))?;
    let mut spec = found.source.spec;
    if let Some(mapping) = mapping {
        let wrong = sources.mapping_problems(&actor, &mapping).await?;
        if !wrong.is_empty() {
            return Err(Problem::invalid(wrong));
        }
        spec.mapping = Some(mapping);
    }
    let request = Incoming {
        headers: headers_of(headers)?,
        query: query.into_iter().collect(),
        body: body.get().to_owned().into(),
    };
    let made = sources.made(&actor.tenant, id, &spec, &request).await.map_err(problem)?;
    Ok(Json(match made {
        Made::Event(event) => {
            Tried { event: serde_json::from_slice(&event.body).ok(), ignored: None }
        }
        Made::Ignored(why) => Tried { event: None, ignored: Some(why) },
    }))
}

fn headers_of(given: BTreeMap<String, String>) -> Result<HeaderMap, Problem> {
    let header = |(name, value): (String, String)| {
        let parsed = (HeaderName::try_from(&name), HeaderValue::try_from(value));
        match parsed {
            (Ok(name), Ok(value)) => Ok((name, value)),
            _ => Err(Problem::field(
                format!("/headers{}", alerts_domain::problem::pointer_to(&name)),
                "is no header",
            )),
        }
    };
    given.into_iter().map(header).collect()
}
