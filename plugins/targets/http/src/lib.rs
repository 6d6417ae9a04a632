//! The generic target: the alert's bytes, unchanged and signed, to the
//! endpoint's URL. What the answer means is left to the host's standard verdict.

mod query;

use std::collections::BTreeMap;

use exosphere_alerts_sdk::{
    Delivery, Endpoint, Exchange, Problem, Request, Settings, Step, Target, Verdict, export_target,
};
use serde::Deserialize;

/// The adapter.
pub struct Http;

export_target!(Http);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpSettings {
    #[serde(default)]
    method: Method,
    #[serde(default)]
    query: BTreeMap<String, String>,
    auth: Option<Auth>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    #[default]
    Post,
    Put,
    Patch,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

/// How the endpoint's secret is sent.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Auth {
    Bearer {},
    /// The secret is already in Base64: encoding its reference here would hide
    /// the reference from the host.
    Basic {},
    ApiKey {
        #[serde(default = "default_api_key_header")]
        header: String,
    },
}

fn default_api_key_header() -> String {
    "x-api-key".to_owned()
}

/// The endpoint's secret that `auth` sends.
const SECRET: &str = "token";

impl Auth {
    fn header(&self, endpoint: &Endpoint) -> Result<(String, String), Verdict> {
        let secret = endpoint.require_secret(SECRET)?;
        Ok(match self {
            Self::Bearer {} => ("authorization".to_owned(), format!("Bearer {secret}")),
            Self::Basic {} => ("authorization".to_owned(), format!("Basic {secret}")),
            Self::ApiKey { header } => (header.to_ascii_lowercase(), secret.to_owned()),
        })
    }
}

impl Target for Http {
    fn check(settings: Settings) -> Result<(), Vec<Problem>> {
        settings.read::<HttpSettings>().map(drop)
    }

    fn next(delivery: Delivery, _exchanges: Vec<Exchange>) -> Step {
        request(delivery).map_or_else(Step::Done, Step::SendLast)
    }
}

fn request(delivery: Delivery) -> Result<Request, Verdict> {
    let endpoint = delivery.endpoint;
    let settings: HttpSettings = endpoint.read_settings()?;
    let auth = settings.auth.map(|auth| auth.header(&endpoint)).transpose()?;

    let mut request =
        Request::new(settings.method.name(), query::append(endpoint.url, &settings.query)).signed();
    request.body = delivery.alert;
    request.headers = endpoint.headers;
    // The tenant may name a more special type, such as a vendor's own `+json`.
    if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        request.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    request.headers.extend(auth);
    Ok(request)
}

#[cfg(test)]
mod tests;
