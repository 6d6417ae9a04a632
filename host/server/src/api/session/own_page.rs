//! That a change with a session's cookie is meant by this host's own page, and not by
//! another site's that makes the person's browser send it.
//!
//! The proof is the token in [`PROOF_HEADER`], which only a page of this host can read
//! and send. What browsers tell of the page by themselves is looked at besides.

use alerts_domain::session;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::api::problem::{Kind, Problem};
use crate::settings::Site;

/// Holds the proof.
pub(crate) const PROOF_HEADER: &str = "x-csrf-token";
/// What a browser tells of the page from which a request comes.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a change without the proof of this session, or from another site's page.
pub(crate) fn require_proof(headers: &HeaderMap, site: &Site, token: &str) -> Result<(), Problem> {
    require(headers, site)?;
    let expected = session::csrf_token(token);
    let given = headers.get(PROOF_HEADER).map(HeaderValue::as_bytes);
    // Whoever could measure how far two of these agree would still have to make a
    // browser send another person's cookie, thousands of times.
    if given == Some(expected.as_bytes()) {
        return Ok(());
    }
    let detail = format!(
        "a change that is made with the session's cookie must carry the header {PROOF_HEADER}, \
         with the `csrf_token` of GET /v1/session"
    );
    Err(Problem::new(Kind::NotFromOwnPage, detail))
}

/// Refuses a page that names another session than the cookie's: in another tab somebody
/// has signed in anew, and what this page would be shown is not what it says it shows.
pub(crate) fn require_same(headers: &HeaderMap, token: &str) -> Result<(), Problem> {
    let named = headers.get(PROOF_HEADER).map(HeaderValue::as_bytes);
    if named.is_none_or(|named| named == session::csrf_token(token).as_bytes()) {
        return Ok(());
    }
    let detail = format!(
        "the header {PROOF_HEADER} is of another session than the cookie; somebody has signed in \
         anew: ask GET /v1/session who"
    );
    Err(Problem::new(Kind::NotFromOwnPage, detail))
}

/// Refuses what a browser says to come from another site's page. Programs that are no
/// browsers say nothing, and may come.
pub(crate) fn require(headers: &HeaderMap, site: &Site) -> Result<(), Problem> {
    let is_own = match headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(from) => from == b"same-origin" || from == b"none",
        // An older browser, or one that does not trust the way here, tells at least this.
        None => {
            headers.get(header::ORIGIN).is_none_or(|origin| is_of_this_host(origin, headers, site))
        }
    };
    if is_own {
        return Ok(());
    }
    let detail = "the request comes from a page of another site; if it is this host's own page, \
                  let the proxy in front pass on the header Host, or set ALERTS_PUBLIC_URL";
    Err(Problem::new(Kind::NotFromOwnPage, detail))
}

/// Whether an origin is where the browser believes to have found this host. The scheme is
/// the proxy's business.
fn is_of_this_host(origin: &HeaderValue, headers: &HeaderMap, site: &Site) -> bool {
    let authority = |url: &str| url.split_once("://").map(|(_, rest)| rest.to_ascii_lowercase());
    let Some(of_page) = origin.to_str().ok().and_then(authority) else { return false };
    let of_setting = site.public_url().and_then(authority);
    // No page can choose these for another host.
    let of_request = [header::HOST, HeaderName::from_static("x-forwarded-host")];
    let mut of_request = of_request.iter().filter_map(|name| headers.get(name)?.to_str().ok());
    of_setting.is_some_and(|public| public == of_page)
        || of_request.any(|host| host.eq_ignore_ascii_case(&of_page))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(pairs: &[(&'static str, &'static str)]) -> bool {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let headers: HeaderMap = pairs.iter().map(pair).collect();
        let site = Site::parse(Some("https://alerts.example.com"), None).unwrap();
        require(&headers, &site).is_ok()
    }

    #[test]
    fn a_page_of_another_site_is_refused_by_what_its_browser_says() {
        assert!(may(&[]), "a program");
        assert!(may(&[("sec-fetch-site", "same-origin")]));
        assert!(may(&[("sec-fetch-site", "none")]), "a person who typed the address");
        assert!(!may(&[("sec-fetch-site", "cross-site")]));
        assert!(!may(&[("sec-fetch-site", "same-site")]), "a neighbour on the same domain");
    }

    #[test]
    fn an_older_browser_is_judged_by_the_origin() {
        let host = ("host", "127.0.0.1:8080");
        assert!(may(&[host, ("origin", "http://127.0.0.1:8080")]));
        assert!(may(&[host, ("origin", "https://Alerts.example.com")]));
        assert!(may(&[host, ("x-forwarded-host", "b.org"), ("origin", "https://b.org")]));
        assert!(!may(&[host, ("origin", "https://evil.example")]));
        assert!(!may(&[host, ("origin", "null")]));
        let newer = [host, ("sec-fetch-site", "same-origin"), ("origin", "https://other.example")];
        assert!(may(&newer), "a proxy that changes Host");
    }
}
