//! What a proxy in front tells of the browser's own request.

use http::{HeaderMap, HeaderValue, header};

use crate::settings::Site;

/// Whether a proxy says that the browser spoke TLS. Nothing is lost if that is made up:
/// it decides only over what this caller is answered.
pub(crate) fn came_by_tls(headers: &HeaderMap) -> bool {
    let first = |name| {
        let value = headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        value.and_then(|value| value.split(',').next()).map(|one| one.trim().to_ascii_lowercase())
    };
    let forwarded = first("forwarded").is_some_and(|hop| {
        hop.split(';').any(|pair| matches!(pair.trim(), "proto=https" | "proto=\"https\""))
    });
    forwarded || first("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}

/// Scheme, host and port by which browsers reach this host: as the operator says, or else
/// as this request did.
pub(crate) fn public_url(headers: &HeaderMap, site: &Site) -> Option<String> {
    if let Some(url) = site.public_url() {
        return Some(url.to_owned());
    }
    let host =
        headers.get("x-forwarded-host").or_else(|| headers.get(header::HOST))?.to_str().ok()?;
    let scheme = if came_by_tls(headers) { "https" } else { "http" };
    // As a setting, so that nothing but scheme, host and port gets through.
    let site = Site::parse(Some(&format!("{scheme}://{host}")), None).ok()?;
    site.public_url().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn links_lead_where_the_operator_says_or_where_the_request_came() {
        let url = |pairs: &[_], site: Option<&str>| {
            public_url(&headers(pairs), &Site::parse(site, None).unwrap())
        };
        let host = ("host", "127.0.0.1:8080");
        assert_eq!(url(&[host], None).as_deref(), Some("http://127.0.0.1:8080"));
        let proxied = [host, ("x-forwarded-host", "a.example"), ("x-forwarded-proto", "https")];
        assert_eq!(url(&proxied, None).as_deref(), Some("https://a.example"));
        assert_eq!(url(&proxied, Some("https://b.example")).as_deref(), Some("https://b.example"));
        assert_eq!(url(&[("host", "a.example/x")], None), None);
        assert_eq!(url(&[], None), None);
    }
}
