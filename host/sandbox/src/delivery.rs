//! What a target adapter is told about a delivery, in the host's own types:
//! the same whatever version of the contract the plugin speaks.

use alerts_domain::header::Headers;
use bytes::Bytes;

/// One attempt at one delivery. Cheap to clone next to the call itself.
#[derive(Debug, Clone)]
pub struct TargetDelivery {
    /// The same in every attempt.
    pub id: String,
    /// 1 for the first.
    pub attempt: u32,
    /// When this attempt began: milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The same for every call of one attempt.
    pub seed: u64,
    /// The alert as JSON.
    pub alert: Bytes,
    /// Where it goes.
    pub endpoint: TargetEndpoint,
}

/// The endpoint as its adapter sees it: references, never secrets.
#[derive(Debug, Clone)]
pub struct TargetEndpoint {
    /// Its URL, or a reference when the URL is itself a secret.
    pub url: String,
    /// The settings object as JSON.
    pub settings: Bytes,
    /// Extra headers that the tenant asked for.
    pub headers: Headers,
    /// Names and references.
    pub secrets: Vec<(String, String)>,
}
