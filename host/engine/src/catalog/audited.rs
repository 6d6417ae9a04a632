//! What the audit log may know of an endpoint and of a rule.
//!
//! The log is never shortened, so it is told less than whoever may read an endpoint: of its
//! URL where it leads, of its headers the names. Secrets are not among the fields.

use alerts_domain::endpoint::{EndpointSpec, masked_url};
use alerts_domain::rule::RuleSpec;

use crate::changes::{Fields, value};

/// An endpoint's.
pub(super) fn of_endpoint(spec: &EndpointSpec) -> Fields {
    let headers: Vec<&str> = spec.headers.iter().map(|(name, _)| name).collect();
    Fields::from_iter(
        [
            ("name", value(&spec.name)),
            ("target_url", value(masked_url(&spec.target_url))),
            ("target", value(&spec.target)),
            ("settings", value(&spec.settings)),
            ("headers", value(headers)),
            ("is_active", value(spec.is_active)),
            ("include_event_data", value(spec.include_event_data)),
            ("rate_limit", value(spec.rate_limit)),
            ("gone_after", value(spec.gone_after)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}

/// A rule's.
pub(super) fn of_rule(spec: &RuleSpec) -> Fields {
    Fields::from_iter(
        [
            ("name", value(&spec.name)),
            ("event_type", value(&spec.event_type)),
            ("condition", value(&spec.condition)),
            ("webhook_endpoint_id", value(spec.webhook_endpoint_id)),
            ("trigger", value(&spec.trigger)),
            ("retry_policy", value(spec.retry_policy)),
            ("rate_limit", value(spec.rate_limit)),
            ("is_active", value(spec.is_active)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn of_urls_and_headers_only_what_is_no_secret_is_told() {
        let spec = EndpointSpec {
            name: "On call".into(),
            target_url: "https://one.example/a?token=hush".into(),
            target: "http".into(),
            settings: Map::new(),
            headers: [("authorization".to_owned(), "Bearer hush".to_owned())].into_iter().collect(),
            is_active: true,
            include_event_data: false,
            rate_limit: None,
            gone_after: 1,
        };
        let told = of_endpoint(&spec);
        assert_eq!(told["target_url"], "https://one.example/…");
        assert_eq!(told["headers"], Value::from(vec!["authorization"]));
        assert!(!Value::from(told).to_string().contains("hush"));
    }
}
