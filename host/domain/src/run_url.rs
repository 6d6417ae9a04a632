//! Where a person looks at a run: the operator's template, filled in for an alert.

use std::borrow::Cow;

use serde_json::value::RawValue;

// The plugin SDK's own files: the host's setting and an adapter's must mean the same,
// and the SDK has to be whole without the host.
#[path = "../../../plugins/sdk/src/link_template.rs"]
mod link_template;
#[path = "../../../plugins/sdk/src/run_subject.rs"]
mod run_subject;

pub use self::link_template::{LinkTemplate, Placeholder};
use self::run_subject::run_of_subject;

/// What an event tells of its run, as far as it does.
#[derive(Debug, Clone, Copy)]
pub struct RunNames<'a> {
    /// Whose run it is.
    pub namespace: &'a str,
    /// A scalar in JSON, from the event's data.
    pub graph_name: Option<&'a RawValue>,
    /// The same.
    pub run_id: Option<&'a RawValue>,
    /// The event's subject, which names a run too where it has the platform's form.
    pub subject: Option<&'a str>,
}

impl LinkTemplate {
    /// The link to a run; none where the event does not tell what the template wants.
    pub fn url_of(&self, run: RunNames<'_>) -> Option<String> {
        let (graph_told, run_told) = run.subject.and_then(run_of_subject).unzip();
        let graph = run.graph_name.map(text).or(graph_told.map(Cow::Borrowed));
        let id = run.run_id.map(text).or(run_told.map(Cow::Borrowed));
        self.fill(|wanted| match wanted {
            Placeholder::Namespace => Some(run.namespace),
            Placeholder::GraphName => graph.as_deref(),
            Placeholder::RunId => id.as_deref(),
        })
    }
}

/// A string's value; a number or a boolean as it is written.
fn text(scalar: &RawValue) -> Cow<'_, str> {
    match serde_json::from_str::<String>(scalar.get()) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(scalar.get()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_by_the_events_data_and_then_by_its_subject() {
        let template = LinkTemplate::parse("https://x/{namespace}/{graph_name}/{run_id}").unwrap();
        let raw = |json: &str| RawValue::from_string(json.to_owned()).unwrap();
        let (graph, id) = (raw(r#""a/b ü""#), raw("7"));
        let none = RunNames { namespace: "prod", graph_name: None, run_id: None, subject: None };
        assert_eq!(template.url_of(none), None);
        let of_subject = RunNames { subject: Some("graph/etl/run/r1"), ..none };
        assert_eq!(template.url_of(of_subject).as_deref(), Some("https://x/prod/etl/r1"));
        let of_both = RunNames { graph_name: Some(&graph), run_id: Some(&id), ..of_subject };
        let url = "https://x/prod/a%2Fb%20%C3%BC/7";
        assert_eq!(template.url_of(of_both).as_deref(), Some(url));
    }
}
