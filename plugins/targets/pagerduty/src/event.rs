//! The alert as an event of the Events API v2.
//! Reference: developer.pagerduty.com/docs/events-api-v2/trigger-events.

use exosphere_alerts_sdk::briefing::Briefing;
use exosphere_alerts_sdk::text::one_line;
use exosphere_alerts_sdk::{Alert, EventReference, FiredRule, Trigger, Workflow};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::dedup;
use crate::event_type::RESOLVES;
use crate::settings::{PagerDutySettings, Severity};

/// Longest summary that PagerDuty keeps.
const MAX_SUMMARY_CHARS: usize = 1024;
/// Largest event that PagerDuty takes.
const MAX_EVENT_BYTES: usize = 512 * 1024;
/// Longest link: longer ones are not opened by every browser.
const MAX_LINK_BYTES: usize = 2048;

/// An event, as the API takes it.
#[derive(Debug, Serialize)]
struct Event<'a> {
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
    /// Why there is no data although the endpoint asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_left_out: Option<String>,
}

/// The event of an alert, as JSON.
pub(crate) fn write(
    alert: &Alert,
    settings: &PagerDutySettings,
    routing_key: &str,
) -> Result<Vec<u8>, serde_json::Error> {
    if is_over(alert) {
        return resolve(alert, routing_key);
    }
    let mut event = Event {
        routing_key,
        dedup_key: dedup::key(alert),
        event_action: Action::Trigger,
        incident: Some(incident(alert, settings)),
    };
    let json = serde_json::to_vec(&event)?;
    if json.len() <= MAX_EVENT_BYTES {
        return Ok(json);
    }
    // Better an incident without its data than none.
    let details = event.incident.as_mut().map(|incident| &mut incident.payload.custom_details);
    if let Some(details) = details {
        let bytes = details.data.take().map_or(0, |data| data.get().len());
        details.data_left_out =
            Some(format!("{bytes} bytes of data are more than PagerDuty takes"));
    }
    serde_json::to_vec(&event)
}

/// Whether an alert tells of the end of what an earlier one told of.
fn is_over(alert: &Alert) -> bool {
    match alert.trigger.is_threshold() {
        // Too many runs that succeed are an incident like any other.
        true => alert.trigger.is_recovery(),
        false => alert.event_type == RESOLVES,
    }
}

/// The end of the incident that this alert is about, as JSON.
pub(crate) fn resolve(alert: &Alert, routing_key: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Event {
        routing_key,
        dedup_key: dedup::key(alert),
        event_action: Action::Resolve,
        incident: None,
    })
}

fn incident<'a>(alert: &'a Alert, settings: &PagerDutySettings) -> Incident<'a> {
    let url = alert.link(settings.link_template.as_ref());
    let url = url.filter(|url| url.len() <= MAX_LINK_BYTES);
    let mark = if alert.is_test() { "[Test] " } else { "" };
    let briefing = Briefing::of(alert);
    let (headline, story) = (&briefing.headline, briefing.plain_story());
    let summary = format!("{mark}[{}] {headline}. {story}", alert.namespace);
    Incident {
        client: "Exosphere Alerts",
        client_url: url.clone(),
        links: url.map(|href| Link { href, text: "Open the run" }).into_iter().collect(),
        payload: Payload {
            summary: one_line(&summary, MAX_SUMMARY_CHARS),
            source: &alert.event.source,
            severity: match alert.is_test() {
                // Whatever the settings say: nobody is to be woken by a test.
                true => Severity::Info,
                false => settings.severity_of(&alert.event_type),
            },
            timestamp: &alert.occurred_at,
            component: alert.run().graph_name,
            group: &alert.namespace,
            class: &alert.event_type,
            custom_details: Details {
                workflow: &alert.workflow,
                rule: &alert.rule,
                trigger: &alert.trigger,
                event: &alert.event,
                delivery: &alert.id,
                data: alert.data.as_deref(),
                data_left_out: None,
            },
        },
    }
}
