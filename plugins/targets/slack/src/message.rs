//! The alert as a message: headline, who is to look, the run's fields, the
//! event's data where the endpoint asked for it, and where it came from.

use exosphere_alerts_sdk::{Alert, Scalar, Workflow};

use crate::SlackSettings;
use crate::blocks::{
    Block, MAX_FALLBACK, MAX_FIELD, MAX_FIELDS, MAX_HEADER, MAX_SECTION, Message, Section, Text,
};
use crate::text::{code, code_block, escaped};

/// Longest name inside of a sentence, so that the sentence fits in a section.
const MAX_NAME: usize = 300;
/// Longest list of a trigger's figures, for the same reason.
const MAX_FIGURES: usize = 500;

pub(crate) fn write(alert: &Alert, settings: &SlackSettings) -> Message {
    let headline = format!("{} {}", mark(&alert.event_type), alert.headline());
    let mut blocks = vec![
        Block::Header { text: Text::plain(escaped(&headline, MAX_HEADER)) },
        Block::Section(Section {
            text: Some(Text::markdown(sentence(alert, settings))),
            fields: Vec::new(),
        }),
    ];
    if settings.show_fields {
        blocks.push(Block::Section(Section { text: None, fields: fields(alert) }));
    }
    if let Some(data) = &alert.data {
        let text = Text::markdown(code_block(data.get(), MAX_SECTION));
        blocks.push(Block::Section(Section { text: Some(text), fields: Vec::new() }));
    }
    blocks.push(Block::Context { elements: vec![Text::markdown(origin(alert))] });
    Message {
        text: escaped(&format!("{headline} ({})", alert.namespace), MAX_FALLBACK),
        blocks,
        unfurl_links: false,
        unfurl_media: false,
    }
}

/// What kind of news it is, seen from afar.
fn mark(event_type: &str) -> &'static str {
    match event_type {
        "workflow.failed" => "🔴",
        "workflow.duration_exceeded" => "🟠",
        "workflow.succeeded" => "🟢",
        _ => "🔵",
    }
}

/// Good news, or no news yet, notifies nobody.
fn deserves_mention(event_type: &str) -> bool {
    !matches!(event_type, "workflow.succeeded" | "workflow.started")
}

fn sentence(alert: &Alert, settings: &SlackSettings) -> String {
    let mut text = String::new();
    if let Some(mention) = settings.mention.as_ref().filter(|_| deserves_mention(&alert.event_type))
    {
        text.push_str(&mention.markup());
        text.push(' ');
    }
    let rule = code(&alert.rule.name, MAX_NAME);
    let namespace = code(&alert.namespace, MAX_NAME);
    text.push_str(&format!("Rule {rule} fired in {namespace}"));
    let figures: Vec<_> =
        alert.trigger.figures().map(|(name, figure)| format!("{name} {figure}")).collect();
    if !figures.is_empty() {
        let kind = escaped(alert.trigger.kind(), MAX_NAME);
        text.push_str(&format!(" ({kind}: {})", code(&figures.join(", "), MAX_FIGURES)));
    }
    text.push('.');
    if let Some(url) = settings.link_template.as_ref().and_then(|link| link.fill(alert)) {
        // Percent-encoded, so all that is left to escape is what joins parameters.
        let link = format!(" <{}|Open the run>", url.replace('&', "&amp;"));
        // Long names make long links, and half a link leads nowhere.
        if text.encode_utf16().count() + link.len() <= MAX_SECTION {
            text.push_str(&link);
        }
    }
    text
}

fn fields(alert: &Alert) -> Vec<Text> {
    let mut fields = Vec::new();
    let mut field = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            let value = code(&value, MAX_FIELD - label.len() - "**\n".len());
            fields.push(Text::markdown(format!("*{label}*\n{value}")));
        }
    };
    let run = &alert.workflow;
    field("Namespace", Some(alert.namespace.clone()));
    if run.is_empty() {
        field("Source", Some(alert.event.source.clone()));
        field("Subject", alert.event.subject.clone());
    } else {
        let text = |scalar: &Option<Scalar>| scalar.as_ref().map(Scalar::to_string);
        field("Graph", text(&run.graph_name));
        field("Run", text(&run.run_id));
        field("Status", text(&run.status));
        field("Node", text(&run.node_name));
        field("Failed state", text(&run.failed_state_id));
        field("States", states(run));
        field("Duration", run.duration_ms.as_ref().map(duration));
        field("Started", text(&run.created_at));
        field("Finished", text(&run.finished_at));
    }
    fields.truncate(MAX_FIELDS);
    fields
}

/// `3 errored, 7 succeeded, 10 in all`, as far as it is known.
fn states(run: &Workflow) -> Option<String> {
    let counts = [
        (&run.errored_count, "errored"),
        (&run.success_count, "succeeded"),
        (&run.total_count, "in all"),
    ];
    let known = counts.iter().filter_map(|(count, what)| Some((count.as_ref()?, what)));
    let parts: Vec<_> = known.map(|(count, what)| format!("{count} {what}")).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Milliseconds in the two largest units that matter; as it is when it is no number.
fn duration(ms: &Scalar) -> String {
    let Some(ms) = ms.as_u64() else { return ms.text().to_owned() };
    let (seconds, minutes, hours) = (ms / 1000, ms / 60_000, ms / 3_600_000);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{seconds}.{} s", ms % 1000 / 100),
        60_000..3_600_000 => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {} min", minutes % 60),
    }
}

fn origin(alert: &Alert) -> String {
    format!(
        "{} at {}, delivery {}",
        code(&alert.event_type, MAX_NAME),
        escaped(&alert.occurred_at, MAX_NAME),
        code(&alert.id, MAX_NAME),
    )
}
