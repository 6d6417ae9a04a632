//! Which alerts are about the same thing. Opsgenie joins those with one alias,
//! and closes by it.

use exosphere_alerts_sdk::text::push_percent_encoded;
use exosphere_alerts_sdk::{Alert, Scalar};

/// Longest alias that Opsgenie takes, in characters; one here is ASCII.
const MAX_ALIAS: usize = 512;

/// The run, if the alert tells which; else the delivery, which is about nothing
/// that another delivery could be about.
pub(crate) fn of(alert: &Alert) -> String {
    let run = &alert.workflow;
    let run = run.graph_name.as_ref().map(Scalar::text).zip(run.run_id.as_ref().map(Scalar::text));
    let alias = match run {
        Some((graph, run)) => joined(&["run", &alert.namespace, graph, run]),
        None => joined(&["delivery", &alert.id]),
    };
    // The end is what tells one from the next: the run's own id.
    alias[alias.len().saturating_sub(MAX_ALIAS)..].to_owned()
}

/// Parts that cannot run into each other: a `/` inside of one is encoded.
fn joined(parts: &[&str]) -> String {
    let mut alias = String::from("exosphere");
    for part in parts {
        alias.push('/');
        push_percent_encoded(&mut alias, part);
    }
    alias
}
