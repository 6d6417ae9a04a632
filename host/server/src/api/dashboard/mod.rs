//! `/settings/alerts`: the dashboard's files, as they were built into this program, with
//! what browsers must know to keep them, and to let no other site near them.
//!
//! Every path that names no file is one of the page's own, and answered with the page.

mod encoding;
mod files;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use self::encoding::Encoding;
use self::files::{Embedded, FILES, MISSING};
use super::path::PathText;
use super::problem::{Kind, Problem};
use crate::settings::Site;
use crate::state::AppState;

/// Where it is.
const PATH: &str = "/settings/alerts";
/// The page itself.
const INDEX: &str = "index.html";
/// The files in here have a digest of their bytes in their names.
const HASHED: &str = "assets/";

/// A name never stands for other bytes, so nobody has to ask again.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Asked for each time, and sent only when it has changed.
const ASK_FIRST: HeaderValue = HeaderValue::from_static("no-cache");
/// Other sites learn from no link that somebody came from here.
const REFERRER_POLICY: HeaderValue = HeaderValue::from_static("same-origin");

/// The dashboard, and the page it is redirected to from the root.
pub(super) fn routes(site: &Site) -> Router<AppState> {
    let dashboard = Arc::new(Dashboard::new(FILES, site));
    Router::new()
        .route("/", get(|| async { Redirect::temporary(PATH) }))
        .route(PATH, get(page))
        .route(&format!("{PATH}/"), get(page))
        .route(&format!("{PATH}/{{*file}}"), get(page_or_file))
        .with_state(dashboard)
}

/// All files, by their paths, and the headers that each is sent with.
struct Dashboard {
    files: HashMap<&'static str, File>,
    index: File,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A file, and what a browser is told to tell it from a newer one.
#[derive(Debug, Clone, Copy)]
struct File {
    embedded: &'static Embedded,
    tag: [u8; 8],
}

impl Dashboard {
    fn new(files: &'static [Embedded], site: &Site) -> Self {
        let all: HashMap<_, _> = files.iter().map(|one| (one.path, File::new(one))).collect();
        let index = all.get(INDEX).copied().unwrap_or_else(|| File::new(&MISSING));
        let mut headers = vec![
            (header::REFERRER_POLICY, REFERRER_POLICY),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        let policy = HeaderValue::try_from(policy(site)).ok();
        headers.extend(policy.map(|policy| (header::CONTENT_SECURITY_POLICY, policy)));
        if !site.may_be_framed() {
            // For browsers that do not know the policy's word for it.
            headers.push((header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")));
        }
        Self { files: all, index, headers }
    }

    fn answer(&self, path: &str, request: &HeaderMap) -> Result<Response, Problem> {
        let file = match self.files.get(path) {
            Some(file) => file,
            None if path.starts_with(HASHED) => {
                let detail = format!("there is no file {path}; load the page again");
                return Err(Problem::new(Kind::NotFound, detail));
            }
            None => &self.index,
        };
        let mut response = file.answer(request);
        response.headers_mut().extend(self.headers.iter().cloned());
        Ok(response)
    }
}

impl File {
    fn new(embedded: &'static Embedded) -> Self {
        Self { embedded, tag: embedded.digest() }
    }

    fn answer(&self, request: &HeaderMap) -> Response {
        let is_hashed = self.embedded.path.starts_with(HASHED);
        let cached = if is_hashed { FOR_EVER } else { ASK_FIRST };
        // Weak: the same whatever the encoding.
        let tag = format!("W/\"{:016x}\"", u64::from_be_bytes(self.tag));
        let known = request.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
        let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
        let (encoding, bytes) = self.embedded.for_browser(Encoding::of(request));
        let mut response = match is_known {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => bytes.into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, cached);
        headers.extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
        if !is_known {
            headers.insert(header::CONTENT_TYPE, self.embedded.media_type());
            headers.extend(encoding.map(|encoding| (header::CONTENT_ENCODING, encoding.name())));
        }
        response
    }
}

/// Nothing but what comes with the page, and calls to this host.
fn policy(site: &Site) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors {}",
        site.frame_ancestors()
    )
}

async fn page(
    State(dashboard): State<Arc<Dashboard>>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    dashboard.answer(INDEX, &request)
}

async fn page_or_file(
    State(dashboard): State<Arc<Dashboard>>,
    PathText(path): PathText,
    request: HeaderMap,
) -> Result<Response, Problem> {
    dashboard.answer(&path, &request)
}

#[cfg(test)]
mod tests {
    use super::*;

    static BUILT: [Embedded; 2] = [
        Embedded { path: "index.html", plain: b"<!doctype html>", brotli: None, gzip: None },
        Embedded {
            path: "assets/app-1a2b3c4d.js",
            plain: b"plain",
            brotli: Some(b"brotli"),
            gzip: Some(b"gzip"),
        },
    ];

    fn of(files: &'static [Embedded], ancestors: Option<&str>) -> Dashboard {
        Dashboard::new(files, &Site::parse(None, ancestors).unwrap())
    }

    fn asked(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::try_from(value).unwrap())])
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn a_file_with_a_digest_in_its_name_is_kept_for_ever_and_sent_in_the_best_encoding() {
        let dashboard = of(&BUILT, None);
        let answer = |accepts| {
            let request = asked(header::ACCEPT_ENCODING, accepts);
            dashboard.answer("assets/app-1a2b3c4d.js", &request).unwrap()
        };
        for (accepts, encoding) in [
            ("gzip, deflate, br", "br"),
            ("gzip, br;q=0", "gzip"),
            ("gzip;q=0.5", "gzip"),
            ("*", "br"),
            ("identity", ""),
            ("", ""),
        ] {
            let response = answer(accepts);
            assert_eq!(header(&response, "content-encoding"), encoding, "{accepts}");
            assert_eq!(header(&response, "content-type"), "text/javascript; charset=utf-8");
            assert_eq!(header(&response, "cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(header(&response, "vary"), "accept-encoding");
        }
        let gone = dashboard.answer("assets/app-00000000.js", &HeaderMap::new());
        assert_eq!(gone.unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn every_other_path_is_the_page_which_is_sent_again_only_when_it_has_changed() {
        let dashboard = of(&BUILT, None);
        let page = dashboard.answer("rules/rule_1/edit", &HeaderMap::new()).unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        assert_eq!(header(&page, "cache-control"), "no-cache");
        let tag = header(&page, "etag");
        let known = asked(header::IF_NONE_MATCH, &format!("W/\"0\", {tag}"));
        let again = dashboard.answer("", &known).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(header(&again, "etag"), tag);
        let other = of(&[], None);
        let newer = other.answer("", &known).unwrap();
        assert_eq!(newer.status(), StatusCode::OK, "another page has another tag");
    }

    #[test]
    fn only_the_sites_that_are_named_may_show_it_in_a_frame() {
        let page = |ancestors| of(&BUILT, ancestors).answer("", &HeaderMap::new()).unwrap();
        let (closed, open) = (page(None), page(Some("https://a.example")));
        assert!(header(&closed, "content-security-policy").ends_with("frame-ancestors 'none'"));
        assert_eq!(header(&closed, "x-frame-options"), "DENY");
        let policy = header(&open, "content-security-policy");
        assert!(policy.ends_with("frame-ancestors https://a.example"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header(&open, "x-frame-options"), "");
    }
}
