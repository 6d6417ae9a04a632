//! The way back from a message to the run: by the endpoint's own template, or else
//! by the link that the host has put into the alert.

use serde::{Deserialize, Deserializer};

use crate::Alert;
use crate::link_template::{LinkTemplate, Placeholder};

impl LinkTemplate {
    /// The link for this alert; none if the alert lacks a value that the template wants.
    pub fn link_for(&self, alert: &Alert) -> Option<String> {
        let run = alert.run();
        self.fill(|wanted| match wanted {
            Placeholder::Namespace => Some(alert.namespace.as_str()),
            Placeholder::GraphName => run.graph_name,
            Placeholder::RunId => run.run_id,
        })
    }
}

impl Alert {
    /// Where a person looks at the run: what the endpoint's own `template` makes of
    /// it, or else the host's link.
    pub fn link(&self, template: Option<&LinkTemplate>) -> Option<String> {
        match template {
            Some(template) => template.link_for(self),
            None => self.run_url.clone(),
        }
    }
}

/// Checked as it is read from the settings, so the problem shows when the endpoint
/// is saved.
impl<'de> Deserialize<'de> for LinkTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let template = String::deserialize(deserializer)?;
        Self::parse(&template).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(rest: &str) -> Alert {
        let json = format!(
            r#"{{"id":"dlv_1","type":"t","occurred_at":"2026-01-01T00:00:00Z","namespace":"prod",
            "rule":{{"id":null,"name":"r"}},"trigger":{{}},{rest}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn an_endpoints_own_template_comes_before_the_hosts_link() {
        let with_both = alert(
            r#""run_url":"https://host.example/7","workflow":{"run_id":7},
            "event":{"id":"e","source":"s"}"#,
        );
        let own = LinkTemplate::parse("https://own.example/{namespace}/{run_id}").unwrap();
        assert_eq!(with_both.link(Some(&own)).as_deref(), Some("https://own.example/prod/7"));
        assert_eq!(with_both.link(None).as_deref(), Some("https://host.example/7"));
        let without = alert(r#""workflow":{},"event":{"id":"e","source":"s"}"#);
        assert_eq!((without.link(Some(&own)), without.link(None)), (None, None));
    }

    #[test]
    fn a_run_that_only_the_subject_names_has_a_link() {
        let alert = alert(r#""event":{"id":"e","source":"s","subject":"graph/etl/run/7"}"#);
        let own = LinkTemplate::parse("https://own.example/{graph_name}/{run_id}").unwrap();
        assert_eq!(alert.link(Some(&own)).as_deref(), Some("https://own.example/etl/7"));
    }
}
