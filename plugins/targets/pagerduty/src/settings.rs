//! The endpoint's settings: how bad an event is, and where its run is shown.

use std::collections::BTreeMap;

use exosphere_alerts_sdk::{LinkTemplate, Problem};
use serde::{Deserialize, Serialize};

use crate::event_type::RESOLVES;

/// PagerDuty's severities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    Critical,
    #[default]
    Error,
    Warning,
    Info,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PagerDutySettings {
    #[serde(default)]
    severity: Severity,
    #[serde(default)]
    severity_by_type: BTreeMap<String, Severity>,
    pub(crate) link_template: Option<LinkTemplate>,
}

impl PagerDutySettings {
    /// The severity of an event of this type.
    pub(crate) fn severity_of(&self, event_type: &str) -> Severity {
        self.severity_by_type.get(event_type).copied().unwrap_or(self.severity)
    }

    /// Severities that could never take effect.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let wrong = |event_type: &String| {
            let message = if event_type == RESOLVES {
                "this event resolves an incident, which needs no severity; remove it"
            } else if event_type.contains('*') {
                "patterns do not work here; name each event type exactly"
            } else if event_type.is_empty() || event_type.contains(char::is_whitespace) {
                "no event has such a type; write one like `workflow.failed`"
            } else {
                return None;
            };
            let token = event_type.replace('~', "~0").replace('/', "~1");
            Some(Problem::new(format!("/severity_by_type/{token}"), message))
        };
        self.severity_by_type.keys().filter_map(wrong).collect()
    }
}
