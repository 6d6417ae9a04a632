//! An endpoint with its secrets opened, and what its adapter sees of it.

use alerts_domain::endpoint::{EndpointSecrets, WebhookEndpoint, split_url};
use alerts_domain::header::Headers;
use bytes::Bytes;
use url::Url;

use super::reference::Reference;

/// An endpoint with its secrets opened, ready to send to.
#[derive(Debug)]
pub struct LiveEndpoint {
    stored: WebhookEndpoint,
    secrets: EndpointSecrets,
    /// The named secrets in their order, then the URL's secret part if it has one.
    references: Vec<Reference>,
    /// What the adapter sees of the target URL.
    url: String,
    /// The same, read; none when it cannot be.
    parsed_url: Option<Url>,
    settings: Bytes,
}

impl LiveEndpoint {
    /// Joins an endpoint with its opened secrets.
    pub fn new(stored: WebhookEndpoint, secrets: EndpointSecrets) -> Self {
        let mut references: Vec<Reference> = secrets
            .named
            .iter()
            .map(|(name, value)| Reference::to_value(&secrets.signing, name, value))
            .collect();
        let mut url = stored.spec.target_url.clone();
        if let Some(secret) = &secrets.url {
            let (origin, rest) = split_url(secret.expose());
            let reference = Reference::to_url_part(&secrets.signing, rest);
            url = format!("{origin}{}", reference.text);
            references.push(reference);
        }
        let parsed_url = Url::parse(&url).ok();
        let settings =
            Bytes::from(serde_json::Value::from(stored.spec.settings.clone()).to_string());
        Self { stored, secrets, references, url, parsed_url, settings }
    }

    /// As stored.
    pub fn stored(&self) -> &WebhookEndpoint {
        &self.stored
    }

    /// The settings as JSON text, for the adapter.
    pub fn settings(&self) -> &Bytes {
        &self.settings
    }

    pub(crate) fn secrets(&self) -> &EndpointSecrets {
        &self.secrets
    }

    /// The target URL as the adapter sees it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The host of its own URL.
    pub(crate) fn own_host(&self) -> Option<&str> {
        self.parsed_url.as_ref()?.host_str()
    }

    /// The target URL as the adapter sees it, read; none when it cannot be.
    pub(crate) fn parsed_url(&self) -> Option<&Url> {
        self.parsed_url.as_ref()
    }

    /// Name and reference of each named secret, as the adapter sees them.
    pub(crate) fn secret_references(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.secrets.named.keys().map(String::as_str);
        names.zip(self.references.iter().map(|reference| reference.text.as_str()))
    }

    /// The tenant's extra headers.
    pub(crate) fn headers(&self) -> &Headers {
        &self.stored.spec.headers
    }

    /// What its texts take in memory, about.
    pub(crate) fn content_bytes(&self) -> usize {
        let headers: usize =
            self.headers().iter().map(|(name, text)| name.len() + text.len()).sum();
        let secrets = self.stored.sealed_secrets.as_str().len();
        // Settings and secrets are there as stored and as they are used.
        self.url.len() * 2 + headers + (self.settings.len() + secrets) * 2
    }
}
