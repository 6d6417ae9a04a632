//! The OpenAPI document, made from the code of the handlers, and the page that
//! shows it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderValue, header};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder,
    SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_swagger_ui::Config;

use super::caller::{KEY_HEADER, NAMESPACE_HEADER};
use super::path::PathText;
use super::problem::{Kind, Problem, ProblemBody};
use super::session::cookie;
use super::session::own_page::PROOF_HEADER;
use crate::state::AppState;

/// Where the document is.
const DOCUMENT: &str = "/openapi.json";
/// The page's files change only with the program.
const PAGE_MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The page's own scripts and styles, calls to this API, and nothing from elsewhere.
/// It sets styles on its elements, and its pictures are `data:` URLs.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// The document without its paths.
pub(super) fn frame() -> OpenApi {
    let about = format!(
        "Turns workflow events into signed, durable, retried webhook notifications.\n\n\
         Send an API key in the header `{KEY_HEADER}`, or as `Authorization: Bearer`. A tenant's \
         key acts for its namespace. A platform key acts for the namespace that the header \
         `{NAMESPACE_HEADER}` names.\n\n\
         A page in a browser signs in once (`POST /v1/session`), and its session's cookie stands \
         for the key from then on. Requests that change something must then carry the header \
         `{PROOF_HEADER}`.\n\n\
         Errors are problem details (RFC 9457). Lists take `limit` and `cursor`. Every POST that \
         creates something takes an `Idempotency-Key`: repeated with the same key and body, it \
         gets the same answer for a day and is not done again."
    );
    let info = InfoBuilder::new()
        .title("Exosphere Alerts")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(about))
        .license(Some(utoipa::openapi::License::new("Apache-2.0")));
    let mut document = OpenApiBuilder::new().info(info).build();
    let components = document.components.get_or_insert_default();
    components.schemas.insert(ProblemBody::name().into_owned(), ProblemBody::schema());
    let mut schemas = Vec::new();
    ProblemBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.add_security_scheme(
        "api_key",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(KEY_HEADER))),
    );
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(cookie::NAME))),
    );
    document.security =
        Some(vec![requirement("api_key"), requirement("bearer"), requirement("session")]);
    document
}

fn requirement(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, Vec::<String>::new())
}

/// The document as it is served: indented, so that a copy of it shows line by line what
/// has changed.
pub(super) fn finished(document: OpenApi) -> String {
    with_problems(document).to_pretty_json().unwrap_or_default()
}

/// Every operation may end in a problem; said here once.
fn with_problems(mut document: OpenApi) -> OpenApi {
    let content = || {
        let schema = RefOr::Ref(Ref::from_schema_name(ProblemBody::name()));
        ContentBuilder::new().schema(Some(schema)).build()
    };
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete, &mut item.put];
        for operation in operations.into_iter().flatten() {
            let response = ResponseBuilder::new()
                .description("What went wrong, and what to change.")
                .content("application/problem+json", content());
            let responses = &mut operation.responses.responses;
            responses.entry("default".to_owned()).or_insert(RefOr::T(response.build()));
        }
    }
    document
}

/// `/openapi.json` and `/docs`.
pub(super) fn routes(document: &str) -> Router<AppState> {
    // It does not change while the process lives.
    let json = Bytes::copy_from_slice(document.as_bytes());
    let config = Config::from(DOCUMENT).persist_authorization(true).display_request_duration(true);
    let pages = Router::new()
        .route("/docs/", get(page_root))
        .route("/docs/{*file}", get(page_file))
        .with_state(Arc::new(config));
    Router::new()
        .route(DOCUMENT, get(move || async move { ([(header::CONTENT_TYPE, JSON)], json) }))
        .route("/docs", get(|| async { Redirect::permanent("/docs/") }))
        .merge(pages)
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

type PageConfig = State<Arc<Config<'static>>>;

async fn page_root(State(config): PageConfig) -> Result<Response, Problem> {
    file("", config)
}

async fn page_file(
    State(config): PageConfig,
    PathText(path): PathText,
) -> Result<Response, Problem> {
    file(&path, config)
}

fn file(path: &str, config: Arc<Config<'static>>) -> Result<Response, Problem> {
    let found = utoipa_swagger_ui::serve(path, config).map_err(|error| {
        tracing::error!(error = %error, path, "a file of the API page could not be made");
        Problem::internal()
    })?;
    let found = found
        .ok_or_else(|| Problem::new(Kind::NotFound, format!("there is nothing at /docs/{path}")))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::try_from(found.content_type)),
        (header::CACHE_CONTROL, Ok(PAGE_MAX_AGE)),
        (header::CONTENT_SECURITY_POLICY, Ok(PAGE_POLICY)),
        // The page runs scripts on the API's origin: nobody may put it in a frame.
        (header::X_FRAME_OPTIONS, Ok(HeaderValue::from_static("DENY"))),
    ];
    let mut response = found.bytes.into_owned().into_response();
    for (name, value) in headers {
        if let Ok(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    if found.gzpipped {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(header::CONTENT_ENCODING, gzip);
    }
    Ok(response)
}
