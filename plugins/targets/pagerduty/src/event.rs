//! The alert as an event of the Events API v2.
//! Reference: developer.pagerduty.com/docs/events-api-v2/trigger-events.

use exosphere_alerts_sdk::text::one_line;
use exosphere_alerts_sdk::{Alert, EventReference, FiredRule, Trigger, Workflow};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::dedup;
use crate::event_type::{RESOLVES, TEST};
use crate::settings::{PagerDutySettings, Severity};

/// Longest summary that PagerDuty keeps.
const MAX_SUMMARY_CHARS: usize = 1024;

/// An event, as the API takes it.
#[derive(Debug, Serialize)]
pub(crate) struct Event<'a> {
    routing_key: &'a str,
    dedup_key: String,
    event_action: Action,
    #[serde(flatten)]
    incident: Option<Incident<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Trigger,
    Resolve,
}

#[derive(Debug, Serialize)]
struct Incident<'a> {
    client: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
    payload: Payload<'a>,
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
    text: &'static str,
}

#[derive(Debug, Serialize)]
struct Payload<'a> {
    summary: String,
    source: &'a str,
    severity: Severity,
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'a str>,
    group: &'a str,
    class: &'a str,
    custom_details: Details<'a>,
}

/// Shown as a table on the incident; the run's fields are rows of their own.
#[derive(Debug, Serialize)]
struct Details<'a> {
    #[serde(flatten)]
    workflow: &'a Workflow,
    rule: &'a FiredRule,
    trigger: &'a Trigger,
    event: &'a EventReference,
    delivery: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

pub(crate) fn write<'a>(
    alert: &'a Alert,
    settings: &PagerDutySettings,
    routing_key: &'a str,
) -> Event<'a> {
    if alert.event_type == RESOLVES {
        return resolve(alert, routing_key);
    }
    Event {
        routing_key,
        dedup_key: dedup::key(alert),
        event_action: Action::Trigger,
        incident: Some(incident(alert, settings)),
    }
}

/// The end of the incident that this alert is about.
pub(crate) fn resolve<'a>(alert: &'a Alert, routing_key: &'a str) -> Event<'a> {
    Event {
        routing_key,
        dedup_key: dedup::key(alert),
        event_action: Action::Resolve,
        incident: None,
    }
}

fn incident<'a>(alert: &'a Alert, settings: &PagerDutySettings) -> Incident<'a> {
    let url = settings.link_template.as_ref().and_then(|link| link.fill(alert));
    let is_test = alert.event_type == TEST;
    let mark = if is_test { "[Test] " } else { "" };
    let summary = format!("{mark}[{}] {}", alert.namespace, alert.headline());
    Incident {
        client: "Exosphere Alerts",
        client_url: url.clone(),
        links: url.map(|href| Link { href, text: "Open the run" }).into_iter().collect(),
        payload: Payload {
            summary: one_line(&summary, MAX_SUMMARY_CHARS),
            source: &alert.event.source,
            severity: match is_test {
                // Whatever the settings say: nobody is to be woken by a test.
                true => Severity::Info,
                false => settings.severity_of(&alert.event_type),
            },
            timestamp: &alert.occurred_at,
            component: alert.workflow.graph_name.as_ref().map(|graph| graph.text()),
            group: &alert.namespace,
            class: &alert.event_type,
            custom_details: Details {
                workflow: &alert.workflow,
                rule: &alert.rule,
                trigger: &alert.trigger,
                event: &alert.event,
                delivery: &alert.id,
                data: alert.data.as_deref(),
            },
        },
    }
}
