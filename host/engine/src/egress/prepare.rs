//! From the request an adapter asked for to the bytes that leave: checked,
//! filled with secrets, signed.

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::exchange::{Request, TransportError};
use alerts_domain::header::{self, MAX_VALUE_BYTES};
use alerts_domain::origin::Origin;
use alerts_domain::{signature, target_url};
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::live::LiveEndpoint;
use crate::secrets::{Place, TooLong};

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

/// Why a request may not leave. Nothing of a secret's value is in it: what could show
/// one is judged before the values are put in.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The header at fault, where it is one.
    pub(crate) header: Option<String>,
    /// What is wrong and what to change.
    pub(crate) detail: String,
}

impl From<Refused> for TransportError {
    fn from(refused: Refused) -> Self {
        Self::Forbidden(refused.detail)
    }
}

/// Checks a request and makes the final bytes.
pub(super) fn prepare(
    request: &Request,
    endpoint: &LiveEndpoint,
    granted: &[Origin],
    rules: &AddressRules,
    message_id: &str,
    now: Timestamp,
) -> Result<Prepared, Refused> {
    let method = METHODS
        .contains(&request.method.as_str())
        .then(|| request.method.parse().ok())
        .flatten()
        .ok_or_else(|| refused(format!("the adapter asked for method `{}`", request.method)))?;
    let url = destination(request, endpoint, granted, rules)?;

    if request.headers.len() > MAX_HEADERS {
        return Err(refused(format!("the adapter set more than {MAX_HEADERS} headers")));
    }
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 4);
    for (name, value) in request.headers.iter() {
        let wrong = |detail| Refused { header: Some(name.to_owned()), detail };
        let filled = endpoint.references().fill(value, Place::Header, MAX_VALUE_BYTES);
        let filled = filled.map_err(|TooLong { bytes }| {
            wrong(format!(
                "header `{name}` would be {bytes} bytes long with its secrets; {MAX_VALUE_BYTES} \
                 may be sent"
            ))
        })?;
        let value = filled.as_deref().unwrap_or(value);
        if let Some(problem) = header::problem(name, value) {
            return Err(wrong(problem.detail));
        }
        append(&mut headers, name, value)?;
    }

    let place = Place::of_body(request.headers.get("content-type"));
    let filled = endpoint.references().fill_body(&request.body, place, MAX_BODY_BYTES);
    let too_large = |bytes: usize| {
        refused(format!("the body is over {MAX_BODY_BYTES} bytes: {bytes} with its secrets"))
    };
    let filled = filled.map_err(|TooLong { bytes }| too_large(bytes))?;
    let body = filled.unwrap_or_else(|| request.body.clone());
    if body.len() > MAX_BODY_BYTES {
        return Err(too_large(body.len()));
    }
    if request.sign {
        let secrets = endpoint.secrets().signing_at(now);
        for (name, value) in signature::headers(secrets, message_id, now, &body).iter() {
            append(&mut headers, name, value)?;
        }
    }
    Ok(Prepared { method, url, headers, body })
}

/// Where a request goes, secrets filled in. Scheme, host and port are judged as the
/// adapter wrote them: a reference cannot stand there, and no value can change them.
fn destination(
    request: &Request,
    endpoint: &LiveEndpoint,
    granted: &[Origin],
    rules: &AddressRules,
) -> Result<Url, Refused> {
    let wrong = |error: alerts_domain::problem::FieldError| refused(error.detail);
    let written = match endpoint.parsed_url() {
        // Nearly always: then it need not be read once more.
        Some(own) if request.url == endpoint.url() => {
            target_url::judge(own, rules).map(|()| own.clone())
        }
        _ => target_url::check(&request.url, rules),
    };
    let written = written.map_err(wrong)?;
    check_origin(&written, endpoint, granted)?;

    let filled = endpoint.references().fill(&request.url, Place::Url, target_url::MAX_BYTES);
    let filled = filled.map_err(|TooLong { bytes }| {
        refused(format!(
            "the URL would be {bytes} bytes long with its secrets; {} may be sent",
            target_url::MAX_BYTES
        ))
    })?;
    let Some(filled) = filled else { return Ok(written) };
    // What a URL's parser says of a text never quotes it.
    let url = target_url::check(&filled, rules).map_err(wrong)?;
    if Origin::of(&url) != Origin::of(&written) {
        return Err(refused("a secret stands where it would change where the request goes"));
    }
    Ok(url)
}

/// An adapter may send to the endpoint's own origin and to those that it was granted,
/// and nowhere else: neither a secret nor an alert leaves by another way.
fn check_origin(url: &Url, endpoint: &LiveEndpoint, granted: &[Origin]) -> Result<(), Refused> {
    let wanted = Origin::of(url).ok_or_else(|| refused("the URL must name a host"))?;
    let own = endpoint.parsed_url().and_then(Origin::of);
    if own.as_ref() == Some(&wanted) || granted.contains(&wanted) {
        return Ok(());
    }
    let own = own.map_or_else(|| "none".to_owned(), |own| own.to_string());
    let granted: Vec<_> = granted.iter().map(Origin::to_string).collect();
    Err(refused(format!(
        "the adapter wanted to send to {wanted}; for this endpoint it may send to {own} and to what \
         was granted to the plugin: {}",
        if granted.is_empty() { "nothing".to_owned() } else { granted.join(", ") }
    )))
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Refused> {
    let bad = || Refused {
        header: Some(name.to_owned()),
        detail: format!("header `{name}` cannot be sent as it is"),
    };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    headers.append(parsed, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
    Ok(())
}

fn refused(detail: impl Into<String>) -> Refused {
    Refused { header: None, detail: detail.into() }
}
