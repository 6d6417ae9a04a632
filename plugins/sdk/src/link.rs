//! Link templates: a setting by which an adapter's message leads back to the
//! run in a dashboard.

use serde::{Deserialize, Deserializer};

use crate::text::push_percent_encoded;
use crate::{Alert, Scalar};

/// A URL with placeholders for parts of an alert. Checked as it is read from
/// the settings, so the problem shows when the endpoint is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Namespace,
    GraphName,
    RunId,
}

/// What may stand between braces.
const PLACEHOLDERS: [(&str, Placeholder); 3] = [
    ("namespace", Placeholder::Namespace),
    ("graph_name", Placeholder::GraphName),
    ("run_id", Placeholder::RunId),
];

impl LinkTemplate {
    /// The link for this alert, values percent-encoded; none if the alert lacks
    /// a value that the template wants.
    pub fn fill(&self, alert: &Alert) -> Option<String> {
        let mut url = String::new();
        for part in &self.0 {
            let value = match part {
                Part::Text(text) => {
                    url.push_str(text);
                    continue;
                }
                Part::Placeholder(Placeholder::Namespace) => Some(alert.namespace.as_str()),
                Part::Placeholder(Placeholder::GraphName) => {
                    alert.workflow.graph_name.as_ref().map(Scalar::text)
                }
                Part::Placeholder(Placeholder::RunId) => {
                    alert.workflow.run_id.as_ref().map(Scalar::text)
                }
            };
            push_percent_encoded(&mut url, value.filter(|value| !value.is_empty())?);
        }
        Some(url)
    }

    fn parse(template: &str) -> Result<Self, String> {
        // Whatever else means something in a message stays out: `|`, `<`, `"`, spaces.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%{}".contains(c);
        if let Some(c) = template.chars().find(|c| !plain(*c)) {
            return Err(format!("a link must not hold the character {c:?}; percent-encode it"));
        }
        let address = template.strip_prefix("https://").or(template.strip_prefix("http://"));
        let Some(address) = address else {
            return Err("a link must begin with `https://`".to_owned());
        };
        // Events fill the placeholders, and an event must not choose the host.
        let host = address.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() || host.contains(['{', '}']) {
            return Err("a link's host must be written out, without placeholders".to_owned());
        }
        parts(template).map(Self)
    }
}

fn parts(template: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((text, opened)) = rest.split_once('{') {
        let Some((name, after)) = opened.split_once('}') else {
            return Err("a `{` in the link is not closed".to_owned());
        };
        let known = PLACEHOLDERS.iter().find(|(known, _)| *known == name);
        let Some((_, placeholder)) = known else {
            let known = PLACEHOLDERS.map(|(name, _)| format!("{{{name}}}")).join(", ");
            return Err(format!("the link knows no `{{{name}}}`; it knows {known}"));
        };
        parts.push(Part::Text(literal(text)?));
        parts.push(Part::Placeholder(*placeholder));
        rest = after;
    }
    parts.push(Part::Text(literal(rest)?));
    Ok(parts)
}

fn literal(text: &str) -> Result<String, String> {
    if text.contains('}') {
        return Err("a `}` in the link was never opened".to_owned());
    }
    Ok(text.to_owned())
}

impl<'de> Deserialize<'de> for LinkTemplate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let template = String::deserialize(deserializer)?;
        Self::parse(&template).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(workflow: &str) -> Alert {
        let json = format!(
            r#"{{"id":"dlv_1","type":"t","occurred_at":"2026-01-01T00:00:00Z","namespace":"p/d",
            "rule":{{"id":null,"name":"r"}},"trigger":{{}},"workflow":{workflow},
            "event":{{"id":"e","source":"s"}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn values_are_encoded_into_the_link() {
        let template = "https://example.com/{namespace}/{graph_name}?run={run_id}#top";
        let template = LinkTemplate::parse(template).unwrap();
        let filled = template.fill(&alert(r#"{"graph_name":"a|<b> ?","run_id":7}"#));
        assert_eq!(filled.unwrap(), "https://example.com/p%2Fd/a%7C%3Cb%3E%20%3F?run=7#top");
        for missing in [r#"{"graph_name":"a"}"#, r#"{"graph_name":"","run_id":7}"#] {
            assert_eq!(template.fill(&alert(missing)), None, "{missing}");
        }
    }

    #[test]
    fn a_template_that_could_not_become_a_link_is_refused() {
        for (template, problem) in [
            ("example.com/{run_id}", "must begin with"),
            ("javascript:alert(1)", "must begin with"),
            ("https://{namespace}.example.com/", "host must be written out"),
            ("https://", "host must be written out"),
            ("https://example.com/{run}", "knows no `{run}`"),
            ("https://example.com/{run_id", "not closed"),
            ("https://example.com/run_id}", "never opened"),
            ("https://example.com/{{run_id}}", "knows no `{{run_id}`"),
            ("https://example.com/a|b", "'|'"),
            ("https://example.com/>", "'>'"),
            ("https://example.com/ü", "'ü'"),
        ] {
            let refused = LinkTemplate::parse(template).unwrap_err();
            assert!(refused.contains(problem), "{template}: {refused}");
        }
    }
}
