//! Webhook endpoints: where to send.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::header::Headers;
use crate::id::EndpointId;
use crate::keyring::Sealed;
use crate::label::Label;
use crate::problem::FieldError;
use crate::rate_limit::RateLimit;
use crate::secret::Secret;
use crate::tenant::TenantId;

/// What a tenant decides about an endpoint, secrets aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSpec {
    /// For people.
    pub name: String,
    /// Absolute `http` or `https` URL without credentials. Where the URL is
    /// itself a secret, what is stored here is [`masked_url`] of it.
    pub target_url: String,
    /// Id of the target plugin, for example `http`.
    pub target: String,
    /// A JSON object that passed the plugin's schema and `check`.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Extra request headers.
    pub headers: Headers,
    /// Whether anything is sent to it.
    pub is_active: bool,
    /// Whether the alert carries the event's `data` beyond the summary fields.
    pub include_event_data: bool,
    /// How many deliveries may start.
    pub rate_limit: Option<RateLimit>,
    /// How many times in a row a rule's target must say that it is gone before
    /// the rule is switched off.
    pub gone_after: u32,
}

impl EndpointSpec {
    /// The target plugin when none is named.
    pub const DEFAULT_TARGET: &'static str = "http";
    /// [`Self::gone_after`] when nobody says: the first time.
    pub const DEFAULT_GONE_AFTER: u32 = 1;
    /// Above this nobody waits for a target to come back.
    pub const MAX_GONE_AFTER: u32 = 100;

    /// What is wrong with [`Self::gone_after`], with a pointer to it.
    pub fn gone_after_problem(&self) -> Option<FieldError> {
        let range = 1..=Self::MAX_GONE_AFTER;
        let detail = format!("must be from 1 to {}", Self::MAX_GONE_AFTER);
        (!range.contains(&self.gone_after)).then(|| FieldError::new("/gone_after", detail))
    }
}

/// A stored endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// `wh_…`.
    pub id: EndpointId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What the tenant decided.
    pub spec: EndpointSpec,
    /// [`EndpointSecrets`] as JSON, encrypted. Opened only in the engine.
    pub sealed_secrets: Sealed,
    /// Counts changes; each attempt keeps the version it used.
    pub version: i64,
    /// Which configuration has made it; absent when a person did. Never changes.
    pub managed_by: Option<Label>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted, softly.
    pub deleted_at: Option<Timestamp>,
}

/// All secrets of one endpoint; sealed as one piece.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndpointSecrets {
    /// Signs every delivery.
    pub signing: Secret,
    /// Signs too until its time is over, so that receivers can change keys
    /// without refusing anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_signing: Option<PreviousSecret>,
    /// The whole target URL, where the adapter's maker says that it is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Secret>,
    /// What the adapter refers to by name, for example `routing_key`.
    #[serde(default)]
    pub named: BTreeMap<String, Secret>,
}

/// A secret URL as it may be stored and shown: where it leads, and no more.
pub fn masked_url(url: &str) -> String {
    format!("{}…", split_url(url).0)
}

/// What is wrong with a URL that is to be kept secret, with a pointer to it: nothing
/// of it that could be a secret is long enough to be found again in an answer.
pub fn secret_url_problem(url: &str) -> Option<FieldError> {
    // In its normal form a slash follows the host, also before a bare query.
    let normal = url::Url::parse(url).map_or_else(|_| url.to_owned(), String::from);
    let (_, rest) = split_url(&normal);
    (rest.chars().count() < Secret::MIN_CHARS).then(|| {
        let detail = format!(
            "what follows the host is the secret of this target's URL, and must be at least {} \
             characters long; paste the whole URL",
            Secret::MIN_CHARS
        );
        FieldError::new("/target_url", detail)
    })
}

/// Scheme, host and port with the slash after them, and the rest, which is what
/// makes a URL a secret.
pub fn split_url(url: &str) -> (&str, &str) {
    let host_at = url.find("://").map_or(0, |scheme| scheme + 3);
    let rest_at = url[host_at..].find('/').map_or(url.len(), |slash| host_at + slash + 1);
    url.split_at(rest_at)
}

/// A signing secret that has been replaced.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// The old secret.
    pub secret: Secret,
    /// Until when it signs.
    pub until: Timestamp,
}

impl EndpointSecrets {
    /// Most named secrets: an adapter that needs more is doing several jobs.
    pub const MAX_NAMED: usize = 16;

    /// The signing secrets in force at `now`, the current one first.
    pub fn signing_at(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        let previous = self.previous_signing.as_ref().filter(|previous| now < previous.until);
        std::iter::once(&self.signing).chain(previous.map(|previous| &previous.secret))
    }

    /// What binds the ciphertext to its place, so that a row copied over
    /// another tenant's row does not open.
    pub fn associated_data(tenant: &TenantId, id: EndpointId) -> String {
        format!("endpoint-secrets\0{tenant}\0{id}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_secret_url_only_its_host_is_shown() {
        let url = "https://hooks.slack.com/services/T0/B0/x";
        assert_eq!(masked_url(url), "https://hooks.slack.com/…");
        assert_eq!(split_url(url), ("https://hooks.slack.com/", "services/T0/B0/x"));
        assert_eq!(split_url("https://a.b"), ("https://a.b", ""));
    }

    #[test]
    fn a_secret_url_has_something_to_keep_secret() {
        for url in ["https://a.b", "https://a.b/", "https://a.b/x", "https://a.b/1234567"] {
            assert!(secret_url_problem(url).is_some(), "{url}");
        }
        for url in ["https://hooks.slack.com/services/T0/B0/x", "https://a.b?token=12345678"] {
            assert_eq!(secret_url_problem(url), None, "{url}");
        }
    }
}
