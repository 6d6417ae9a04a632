//! Slack, through an incoming webhook: the alert as a Block Kit message, and
//! what Slack's answers mean.
//!
//! The webhook's URL is the secret, and is used as the endpoint gives it.

mod answer;
mod blocks;
mod data;
mod mention;
mod message;
mod text;

use exosphere_alerts_sdk::{
    Alert, Delivery, Exchange, LinkTemplate, Problem, Request, Settings, Step, Target, Verdict,
    export_target,
};
use serde::Deserialize;

use mention::Mention;

/// The adapter.
pub struct Slack;

export_target!(Slack);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SlackSettings {
    mention: Option<Mention>,
    #[serde(default = "default_show_fields")]
    show_fields: bool,
    link_template: Option<LinkTemplate>,
}

fn default_show_fields() -> bool {
    true
}

impl Target for Slack {
    fn check(settings: Settings) -> Result<(), Vec<Problem>> {
        settings.read::<SlackSettings>().map(drop)
    }

    fn next(delivery: Delivery, exchanges: Vec<Exchange>) -> Step {
        match exchanges.last() {
            None => request(&delivery).map_or_else(Step::Done, Step::Send),
            Some(exchange) => Step::Done(answer::verdict(&exchange.outcome, delivery.now)),
        }
    }
}

fn request(delivery: &Delivery) -> Result<Request, Verdict> {
    let endpoint = &delivery.endpoint;
    let settings: SlackSettings = endpoint.read_settings()?;
    let alert: Alert = delivery.read_alert()?;
    let message = serde_json::to_vec(&message::write(&alert, &settings))
        .map_err(|error| Verdict::Rejected(format!("the message does not serialize: {error}")))?;
    Ok(Request::post_json(&endpoint.url, message).headers_of(endpoint))
}

#[cfg(test)]
mod tests;
