//! PagerDuty's Events API v2: an alert opens an incident, and a run that succeeded
//! or a threshold that recovered resolves the one that it opened earlier.
//!
//! A test alert pages nobody for long: it is marked and of severity `info`, and
//! the incident that it opens is resolved in the same attempt.
//!
//! The routing key is a secret; its reference goes into the JSON body.

mod answer;
mod dedup;
mod event;
mod event_type;
mod settings;

use exosphere_alerts_sdk::{
    Alert, Delivery, Exchange, Ordered, Problem, Request, Settings, Step, Target, Verdict,
    export_ordering, export_target,
};

use settings::PagerDutySettings;

/// The adapter.
pub struct PagerDuty;

export_target!(PagerDuty);
export_ordering!(PagerDuty);

/// The endpoint's secret that says which service is meant.
const SECRET: &str = "routing_key";

impl Target for PagerDuty {
    fn check(settings: Settings) -> Result<(), Vec<Problem>> {
        let settings: PagerDutySettings = settings.read()?;
        let problems = settings.problems();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn next(delivery: Delivery, exchanges: Vec<Exchange>) -> Step {
        step(&delivery, &exchanges).unwrap_or_else(Step::Done)
    }
}

/// Of one incident the last state wins: an alert that is still being retried must not
/// open again what has been resolved since.
impl Ordered for PagerDuty {
    fn key(alert: Alert, _settings: Settings) -> Option<String> {
        Some(dedup::key(&alert))
    }
}

fn step(delivery: &Delivery, exchanges: &[Exchange]) -> Result<Step, Verdict> {
    let endpoint = &delivery.endpoint;
    let settings: PagerDutySettings = endpoint.read_settings()?;
    let routing_key = endpoint.require_secret(SECRET)?;
    let alert: Alert = delivery.read_alert()?;
    let event = match exchanges {
        [] => event::write(&alert, &settings, routing_key),
        [opened] if alert.is_test() => match answer::verdict(&opened.outcome, delivery.now) {
            Verdict::Delivered(_) => event::resolve(&alert, routing_key),
            other => return Err(other),
        },
        [.., last] => return Err(answer::verdict(&last.outcome, delivery.now)),
    };
    let event = event
        .map_err(|error| Verdict::Rejected(format!("the event does not serialize: {error}")))?;
    Ok(Step::Send(Request::post_json(&endpoint.url, event).headers_of(endpoint)))
}

#[cfg(test)]
mod tests;
