//! Facts: where it happened, and what else an alert tells of it, row by row.

use serde_json::Value;

use super::{Fact, Piece, scalar_words, span_of, text};
use crate::{Alert, Workflow};

pub(super) fn of(alert: &Alert) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    facts.name("Namespace", Some(&alert.namespace));
    if alert.trigger.is_threshold() {
        group(&mut facts, alert);
    }
    if alert.trigger.is_recovery() {
        let since: Option<String> = alert.trigger.figure("since");
        facts.time("Alerted", since.as_deref());
        facts.time("Recovered", Some(&alert.occurred_at));
        return facts.0;
    }
    let (run, workflow) = (alert.run(), &alert.workflow);
    facts.name("Graph", run.graph_name);
    facts.name("Node", node(workflow).as_deref());
    facts.name("Run", run.run_id);
    if run.run_id.is_none() && run.graph_name.is_none() {
        facts.name("Source", Some(&alert.event.source));
        facts.name("Subject", alert.event.subject.as_deref());
    }
    facts.time("Started", text(&workflow.created_at));
    match text(&workflow.finished_at) {
        Some(finished) => facts.time("Finished", Some(finished)),
        None => facts.time("Happened", Some(&alert.occurred_at)),
    }
    facts.words("Duration", workflow.duration_ms.as_ref().map(span_of));
    facts.words("States", states(workflow));
    facts.name("Failed state", text(&workflow.failed_state_id));
    facts.name("Status", text(&workflow.status));
    facts.0
}

/// The fields by which a threshold counts apart. Those that the platform knows have
/// their usual labels, and are not told twice.
fn group(facts: &mut Facts, alert: &Alert) {
    for (field, value) in alert.trigger.group() {
        let label = match field.strip_prefix("event.").unwrap_or(&field) {
            "graph_name" | "data.graph_name" => "Graph",
            "node_name" | "data.node_name" => "Node",
            "run_id" | "data.run_id" => "Run",
            _ => &field,
        };
        match value {
            Value::Null => facts.name(label, Some("(none)")),
            value => facts.name(label, Some(&scalar_words(&value))),
        }
    }
}

struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, label: &str, value: Option<Piece>) {
        let is_told = self.0.iter().any(|fact| fact.label == label);
        if let Some(value) = value.filter(|_| !is_told) {
            self.0.push(Fact { label: label.to_owned(), value });
        }
    }

    fn name(&mut self, label: &str, name: Option<&str>) {
        self.add(label, name.map(Piece::name));
    }

    fn time(&mut self, label: &str, time: Option<&str>) {
        self.add(label, time.map(|time| Piece::Time(time.to_owned())));
    }

    fn words(&mut self, label: &str, words: Option<String>) {
        self.add(label, words.map(Piece::Words));
    }
}

/// The node, with the identifier that a graph has given it where that says more.
fn node(run: &Workflow) -> Option<String> {
    match (text(&run.node_name), text(&run.identifier)) {
        (Some(node), Some(identifier)) if node != identifier => {
            Some(format!("{node} ({identifier})"))
        }
        (node, identifier) => node.or(identifier).map(str::to_owned),
    }
}

/// `3 errored, 7 succeeded, 10 in all`, as far as it is known.
fn states(run: &Workflow) -> Option<String> {
    let counts = [
        (&run.errored_count, "errored"),
        (&run.retried_count, "retried"),
        (&run.pending_count, "pending"),
        (&run.success_count, "succeeded"),
        (&run.total_count, "in all"),
    ];
    let known = counts.iter().filter_map(|(count, what)| Some((count.as_ref()?.as_u64()?, what)));
    // None retried and none pending is what everybody takes for granted.
    let told = known.filter(|(count, what)| *count > 0 || !matches!(**what, "retried" | "pending"));
    let parts: Vec<_> = told.map(|(count, what)| format!("{count} {what}")).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
