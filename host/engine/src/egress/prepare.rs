//! From the request an adapter asked for to the bytes that leave: checked,
//! filled with secrets, signed.

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::exchange::{Request, TransportError};
use alerts_domain::{header, signature, target_url};
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::references::{self, Place};
use crate::live::LiveEndpoint;

/// Methods an adapter may use. Others change connections or mean nothing here.
const METHODS: [&str; 5] = ["POST", "PUT", "PATCH", "GET", "DELETE"];
/// Largest request body, in bytes, secrets filled in.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Most headers an adapter may set.
const MAX_HEADERS: usize = 64;

/// A request that is ready to leave: checked, filled with secrets, signed.
#[derive(Debug)]
pub struct Prepared {
    /// One of the few that an adapter may use.
    pub method: reqwest::Method,
    /// Where it goes.
    pub url: Url,
    /// All that the adapter, the tenant and the host put on it.
    pub headers: HeaderMap,
    /// The exact bytes.
    pub body: Bytes,
}

/// Checks a request and makes the final bytes.
pub(super) fn prepare(
    request: &Request,
    endpoint: &LiveEndpoint,
    hosts: &[String],
    rules: &AddressRules,
    message_id: &str,
    now: Timestamp,
) -> Result<Prepared, TransportError> {
    let method = METHODS
        .contains(&request.method.as_str())
        .then(|| request.method.parse().ok())
        .flatten()
        .ok_or_else(|| forbidden(format!("the adapter asked for method `{}`", request.method)))?;

    let filled_url = references::fill(&request.url, endpoint, Place::Url);
    let url = match (filled_url, endpoint.parsed_url()) {
        // Nearly always: then it need not be read once more.
        (None, Some(own)) if request.url == endpoint.url() => {
            target_url::judge(own, rules).map(|()| own.clone())
        }
        (filled, _) => target_url::check(filled.as_deref().unwrap_or(&request.url), rules),
    };
    // The detail never quotes the URL: it may hold a secret by now.
    let url = url.map_err(|error| forbidden(error.detail))?;

    check_destination(url.host_str(), endpoint, hosts)?;

    if request.headers.len() > MAX_HEADERS {
        return Err(forbidden(format!("the adapter set more than {MAX_HEADERS} headers")));
    }
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
    for (name, value) in request.headers.iter() {
        let filled = references::fill(value, endpoint, Place::Header);
        let value = filled.as_deref().unwrap_or(value);
        if let Some(problem) = header::problem(name, value) {
            return Err(forbidden(problem.detail));
        }
        append(&mut headers, name, value)?;
    }

    let place = Place::of_body(request.headers.get("content-type"));
    let filled_body = references::fill_body(&request.body, endpoint, place);
    let body = filled_body.unwrap_or_else(|| request.body.clone());
    if body.len() > MAX_BODY_BYTES {
        return Err(forbidden(format!("the body is over {MAX_BODY_BYTES} bytes")));
    }
    if request.sign {
        let secrets = endpoint.secrets().signing_at(now);
        for (name, value) in signature::headers(secrets, message_id, now, &body).iter() {
            append(&mut headers, name, value)?;
        }
    }
    Ok(Prepared { method, url, headers, body })
}

/// An adapter may send to the endpoint's own host and to those that it was
/// granted, and nowhere else: neither a secret nor an alert leaves by another way.
fn check_destination(
    host: Option<&str>,
    endpoint: &LiveEndpoint,
    granted: &[String],
) -> Result<(), TransportError> {
    let host = host.unwrap_or_default();
    let mut open = endpoint.own_host().into_iter().chain(granted.iter().map(String::as_str));
    if open.any(|open| open.eq_ignore_ascii_case(host)) {
        return Ok(());
    }
    let own = endpoint.own_host().unwrap_or("none");
    Err(forbidden(format!(
        "the adapter wanted to send to {host}; for this endpoint it may send to {own} and to the \
         hosts granted to the plugin: {}",
        if granted.is_empty() { "none".to_owned() } else { granted.join(", ") }
    )))
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), TransportError> {
    let bad = || forbidden(format!("header `{name}` cannot be sent as it is"));
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    headers.append(parsed, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
    Ok(())
}

fn forbidden(detail: impl Into<String>) -> TransportError {
    TransportError::Forbidden(detail.into())
}
