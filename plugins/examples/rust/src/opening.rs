//! The alert as Opsgenie opens one. Reference: docs.opsgenie.com/docs/alert-api,
//! "Create Alert"; so are the limits.

use exosphere_alerts_sdk::text::one_line;
use exosphere_alerts_sdk::{Alert, Workflow};
use serde::{Deserialize, Serialize};

const MAX_MESSAGE_CHARS: usize = 130;
const MAX_ENTITY_CHARS: usize = 512;
const MAX_SOURCE_CHARS: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OpsgenieSettings {
    priority: String,
    tags: Vec<String>,
    teams: Vec<String>,
}

impl Default for OpsgenieSettings {
    fn default() -> Self {
        Self { priority: "P3".to_owned(), tags: Vec::new(), teams: Vec::new() }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Opening<'a> {
    message: String,
    alias: &'a str,
    description: String,
    priority: &'a str,
    tags: &'a [String],
    responders: Vec<Responder<'a>>,
    entity: String,
    source: String,
    /// A table on the alert: the run's fields, as the event gave them.
    details: Details<'a>,
}

#[derive(Debug, Serialize)]
struct Responder<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct Details<'a> {
    #[serde(flatten)]
    workflow: &'a Workflow,
    rule: &'a str,
    delivery: &'a str,
}

impl<'a> Opening<'a> {
    pub(crate) fn of(alert: &'a Alert, alias: &'a str, settings: &'a OpsgenieSettings) -> Self {
        let graph = alert.workflow.graph_name.as_ref();
        let responder = |name| Responder { kind: "team", name };
        Self {
            message: one_line(&alert.headline(), MAX_MESSAGE_CHARS),
            alias,
            description: format!(
                "{} at {}, in {}. Rule: {}.",
                alert.event_type, alert.occurred_at, alert.namespace, alert.rule.name
            ),
            priority: &settings.priority,
            tags: &settings.tags,
            responders: settings.teams.iter().map(|team| responder(team.as_str())).collect(),
            entity: one_line(graph.map_or("", |graph| graph.text()), MAX_ENTITY_CHARS),
            source: one_line(&format!("Exosphere, {}", alert.namespace), MAX_SOURCE_CHARS),
            details: Details {
                workflow: &alert.workflow,
                rule: &alert.rule.name,
                delivery: &alert.id,
            },
        }
    }
}
