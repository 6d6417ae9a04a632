//! The alert as adapters read it: `docs/schemas/alert.v1.json`. Fields that a
//! later schema adds are passed over.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::run_subject::run_of_subject;
use crate::trigger::Trigger;

/// The type of the alert that a tenant sends to see whether an endpoint works.
const TEST: &str = "exosphere.alerts.test";

/// What [`Delivery::read_alert`](crate::Delivery::read_alert) reads for an
/// adapter that writes its own message.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    /// The delivery's id, the same in every attempt.
    pub id: String,
    /// The event's type, for example `workflow.failed`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened: RFC 3339, UTC.
    pub occurred_at: String,
    /// The tenant.
    pub namespace: String,
    /// The rule that fired.
    pub rule: FiredRule,
    /// How it fired.
    pub trigger: Trigger,
    /// The run, as far as the event told.
    #[serde(default)]
    pub workflow: Workflow,
    /// Where a person looks at the run, by the host's own setting.
    pub run_url: Option<String>,
    /// The event that led to the alert.
    pub event: EventReference,
    /// The event's data; only where the endpoint asked for it.
    pub data: Option<Box<RawValue>>,
}

/// The rule that fired.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FiredRule {
    /// Absent in a test alert.
    pub id: Option<String>,
    /// For people.
    pub name: String,
}

/// The event that led to an alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventReference {
    /// The emitter's own id.
    pub id: String,
    /// Who emitted it.
    pub source: String,
    /// What it is about, in the words of its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

macro_rules! workflow {
    ($($field:ident),* $(,)?) => {
        /// A run's ids and figures.
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(default)]
        #[expect(missing_docs, reason = "the schema says what each field is")]
        pub struct Workflow {
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<Scalar>,
            )*
        }

        impl Workflow {
            /// The names of its fields, as an event's data has them too.
            pub const FIELDS: &[&str] = &[$(stringify!($field)),*];

            /// Whether the event told nothing about a run.
            pub fn is_empty(&self) -> bool {
                $(self.$field.is_none())&&*
            }
        }
    };
}

workflow!(
    graph_name,
    run_id,
    status,
    created_at,
    finished_at,
    duration_ms,
    success_count,
    pending_count,
    errored_count,
    retried_count,
    total_count,
    failed_state_id,
    node_name,
    identifier,
);

/// Which run an alert is about, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The graph that it is a run of.
    pub graph_name: Option<&'a str>,
    /// Its id, which another graph's run may have too.
    pub run_id: Option<&'a str>,
}

impl Alert {
    /// Which run it is about: by the event's data, or else by a subject of the
    /// platform's form.
    pub fn run(&self) -> Run<'_> {
        let (graph, run) = self.event.subject.as_deref().and_then(run_of_subject).unzip();
        let Workflow { graph_name, run_id, .. } = &self.workflow;
        Run {
            graph_name: graph_name.as_ref().map(Scalar::text).or(graph),
            run_id: run_id.as_ref().map(Scalar::text).or(run),
        }
    }

    /// Whether a person only wants to see whether the endpoint works.
    pub fn is_test(&self) -> bool {
        self.event_type == TEST
    }
}

/// A string, number or boolean, exactly as the event gave it: a number keeps
/// its digits, however many there are.
#[derive(Debug, Clone)]
pub enum Scalar {
    /// A string's value.
    Text(String),
    /// A number or boolean, in JSON.
    Literal(Box<RawValue>),
}

impl Scalar {
    /// For people: a string without quotes, or the literal.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Literal(literal) => literal.get(),
        }
    }

    /// The value of a whole number that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Text(_) => None,
            Self::Literal(literal) => literal.get().parse().ok(),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Literal(literal) => literal.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not by way of a number type: none holds every number that JSON can write.
        let json = Box::<RawValue>::deserialize(deserializer)?;
        match json.get().as_bytes().first() {
            Some(b'"') => {
                serde_json::from_str(json.get()).map(Self::Text).map_err(D::Error::custom)
            }
            Some(b'{' | b'[') => Err(D::Error::custom("expected a string, a number or a boolean")),
            _ => Ok(Self::Literal(json)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(workflow: &str) -> Alert {
        let json = format!(
            r#"{{"version":"1","id":"dlv_1","type":"workflow.failed","occurred_at":"2026-01-01T00:00:00Z",
            "namespace":"prod","rule":{{"id":null,"name":"r"}},"trigger":{{"type":"threshold","count":3}},
            "workflow":{workflow},"event":{{"id":"e","source":"s"}},"added_later":1}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn scalars_come_back_as_they_came() {
        let workflow =
            r#"{"graph_name":"a \"b\"","run_id":1e400,"total_count":18446744073709551617}"#;
        let alert = alert(workflow);
        assert_eq!(alert.workflow.run_id.as_ref().map(Scalar::text), Some("1e400"));
        assert_eq!(serde_json::to_string(&alert.workflow).unwrap(), workflow);
    }

    #[test]
    fn a_field_that_is_not_a_scalar_is_an_error() {
        assert!(serde_json::from_str::<Workflow>(r#"{"run_id":{}}"#).is_err());
        assert!(serde_json::from_str::<Workflow>(r#"{"run_id":null}"#).unwrap().is_empty());
    }

    #[test]
    fn a_run_is_found_in_the_data_and_then_in_the_subject() {
        let mut alert = alert(r#"{"run_id":7}"#);
        assert_eq!(alert.run(), Run { graph_name: None, run_id: Some("7") });
        alert.event.subject = Some("graph/etl/run/8".to_owned());
        assert_eq!(alert.run(), Run { graph_name: Some("etl"), run_id: Some("7") });
        alert.workflow = Workflow::default();
        assert_eq!(alert.run(), Run { graph_name: Some("etl"), run_id: Some("8") });
    }
}
