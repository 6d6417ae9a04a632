//! `POST /v1/plugins` and `DELETE /v1/plugins/{id}`: plugins over the API.

use alerts_domain::api_key::Role;
use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::Deserialize;

use super::{PluginView, TAG, operator};
use crate::api::body::{self, media_type};
use crate::api::caller::Caller;
use crate::api::path::PathText;
use crate::api::problem::{Kind, Problem};
use crate::api::query::Query;
use crate::limits::Whole;
use crate::state::AppState;

/// The part of a multipart body that holds the file.
const FILE_PART: &str = "file";
/// Room for the boundaries around it.
const BOUNDARY_BYTES: usize = 4096;
/// With the setting that decides how large it may be.
const FILE: &str = "a plugin file (setting ALERTS_PLUGIN_FILE_MIB)";

/// What to do about a plugin that is there already.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// Whether to replace another file with the same id.
    #[serde(default)]
    replace: bool,
}

/// Upload a plugin
///
/// The body is a `.wasm` component: raw as `application/wasm`, or the part
/// `file` of a `multipart/form-data` body. Answered at once; poll the address
/// in `location` until `state` is `ready` or `refused`. A file that is refused
/// leaves the one in use where it is.
#[utoipa::path(post, path = "/v1/plugins", tag = TAG, params(UploadQuery),
    request_body(content = inline(Vec<u8>), content_type = "application/wasm"),
    responses((status = 202, description = "It is being compiled.", body = PluginView)))]
pub(super) async fn upload_plugin(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<Response, Problem> {
    caller.require(Role::Platform)?;
    let limit = state.engine().sandbox().max_file_bytes();
    let is_form = match media_type(request.headers()).as_deref() {
        Some("multipart/form-data") => true,
        Some("application/wasm" | "application/octet-stream") => false,
        _ => {
            let detail = "send the file as `content-type: application/wasm`, or as the part \
                          `file` of a multipart/form-data body";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
    };
    let (parts, body) = request.into_parts();
    let limit = limit + if is_form { BOUNDARY_BYTES } else { 0 };
    let Whole { bytes, share: _share } = body::read(body, &state, limit, FILE).await?;
    let wasm = match is_form {
        true => file_part(Request::from_parts(parts, Body::from(bytes))).await?,
        false => bytes,
    };
    let entry =
        state.engine().plugin_admin().upload_plugin(&operator(&caller), wasm, query.replace);
    let entry = entry.map_err(|error| Problem::of_change(error, "of this file"))?;
    let location = format!("/v1/plugins/{}", entry.id);
    let body = Json(PluginView::from(entry));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], body).into_response())
}

async fn file_part(request: Request) -> Result<Bytes, Problem> {
    let unreadable = |detail: String| Problem::new(Kind::InvalidRequest, detail);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| unreadable(error.body_text()))?;
    while let Some(part) = form.next_field().await.map_err(|error| unreadable(error.body_text()))? {
        if part.name() == Some(FILE_PART) {
            return part.bytes().await.map_err(|error| unreadable(error.body_text()));
        }
    }
    Err(unreadable(format!("the form has no part `{FILE_PART}`; put the .wasm file there")))
}

/// Whether to remove a plugin that is used.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RemoveQuery {
    /// Removes it although endpoints or rules use it; their deliveries wait.
    #[serde(default)]
    force: bool,
}

/// Remove an uploaded plugin
#[utoipa::path(delete, path = "/v1/plugins/{id}", tag = TAG,
    params(("id" = String, Path, description = "For example `ntfy`."), RemoveQuery),
    responses((status = 204, description = "It is gone.")))]
pub(super) async fn remove_plugin(
    State(state): State<AppState>,
    caller: Caller,
    PathText(id): PathText,
    Query(query): Query<RemoveQuery>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Platform)?;
    let removed =
        state.engine().plugin_admin().remove_plugin(&operator(&caller), &id, query.force).await;
    removed.map_err(|error| Problem::of_change(error, &id))?;
    Ok(StatusCode::NO_CONTENT)
}
