//! Headline and story: what happened, in few words and then in a sentence or two.

use super::{News, Piece, group_words, short, span_of, text};
use crate::when::{span, unix_seconds};
use crate::{Alert, Scalar};

pub(super) fn of(alert: &Alert) -> (News, String, Vec<Piece>) {
    let trigger = &alert.trigger;
    if alert.is_test() {
        return test();
    }
    match trigger.kind() {
        "threshold" if trigger.is_recovery() => recovered(alert),
        "threshold" => too_much(alert),
        "duration" => too_long(alert),
        _ => event(alert),
    }
}

/// What an event of this type means; the type itself where it is the emitter's own.
fn happening(event_type: &str) -> &str {
    match event_type {
        "workflow.started" => "Workflow started",
        "workflow.succeeded" => "Workflow succeeded",
        "workflow.failed" => "Workflow failed",
        other => other,
    }
}

/// A headline with what it is about.
fn headline(what: String, about: Option<&str>) -> String {
    match about.filter(|about| !about.trim().is_empty()) {
        Some(about) => format!("{what}: {}", short(about)),
        None => what,
    }
}

/// The graph, or what else the event is about.
fn about(alert: &Alert) -> Option<&str> {
    alert.run().graph_name.or(alert.event.subject.as_deref())
}

fn test() -> (News, String, Vec<Piece>) {
    let story = "Nothing has happened: somebody is trying this endpoint out. The run is made up.";
    (News::Test, "Test alert".to_owned(), vec![Piece::words(story)])
}

fn event(alert: &Alert) -> (News, String, Vec<Piece>) {
    let headline = headline(short(happening(&alert.event_type)), about(alert));
    let run = &alert.workflow;
    let took = run.duration_ms.as_ref().map(|ms| format!(" after {}", span_of(ms)));
    let took = took.unwrap_or_default();
    match alert.event_type.as_str() {
        "workflow.failed" => {
            let mut story = match text(&run.node_name) {
                Some(node) => vec![Piece::words("Node "), Piece::name(short(node))],
                None => vec![Piece::words("The run")],
            };
            story.push(Piece::words(format!(" failed{took}{}.", of_how_many(alert))));
            (News::Bad, headline, story)
        }
        "workflow.succeeded" => {
            (News::Good, headline, vec![Piece::words(format!("The run succeeded{took}."))])
        }
        "workflow.started" => {
            let at = Piece::Time(alert.occurred_at.clone());
            let story = vec![Piece::words("The run started at "), at, Piece::words(".")];
            (News::Begun, headline, story)
        }
        _ => {
            let source = Piece::name(short(&alert.event.source));
            (News::Other, headline, vec![Piece::words("Told by "), source, Piece::words(".")])
        }
    }
}

/// `; 3 of 10 states errored`, as far as it is known.
fn of_how_many(alert: &Alert) -> String {
    let count = |count: &Option<Scalar>| count.as_ref()?.as_u64();
    let run = &alert.workflow;
    match (count(&run.errored_count), count(&run.total_count)) {
        (Some(1), None) => "; 1 state errored".to_owned(),
        (Some(errored), None) => format!("; {errored} states errored"),
        (Some(errored), Some(total)) => format!("; {errored} of {total} states errored"),
        (None, _) => String::new(),
    }
}

fn too_long(alert: &Alert) -> (News, String, Vec<Piece>) {
    let run = &alert.workflow;
    let elapsed = alert.trigger.figure("elapsed_ms").map(span);
    let allowed = alert.trigger.figure("threshold_ms").map(span);
    let has_ended = text(&run.finished_at).is_some();
    let what = if has_ended { "Workflow took too long" } else { "Workflow is taking too long" };
    let mut words = match (&elapsed, has_ended) {
        (Some(elapsed), true) => format!("The run took {elapsed}"),
        (Some(elapsed), false) => {
            format!("The run has been going for {elapsed} and has not ended")
        }
        (None, _) => "The run takes longer than it should".to_owned(),
    };
    if let Some(allowed) = allowed {
        words.push_str(&format!("; {allowed} are allowed"));
    }
    words.push('.');
    let mut story = vec![Piece::Words(words)];
    if let Some(started) = text(&run.created_at) {
        story.push(Piece::words(" It started at "));
        story.push(Piece::Time(started.to_owned()));
        story.push(Piece::words("."));
    }
    (News::Late, headline(what.to_owned(), about(alert)), story)
}

fn too_much(alert: &Alert) -> (News, String, Vec<Piece>) {
    let trigger = &alert.trigger;
    let what = format!("{} {}", short(happening(&alert.event_type)), how_often(alert));
    let headline = headline(what, group_words(alert).as_deref());
    let mut story = vec![Piece::words(match (share("ratio", alert), allowed(alert)) {
        (Some(share), Some(allowed)) => format!("That is {share}; up to {allowed} allowed."),
        (None, Some(allowed)) => format!("Up to {allowed} allowed."),
        _ => "That is more than the rule allows.".to_owned(),
    })];
    if let Some(since) = trigger.figure::<String>("since") {
        story.push(Piece::words(" The first was at "));
        story.push(Piece::Time(since));
        let run = alert.run();
        match (run.run_id, text(&alert.workflow.node_name)) {
            (Some(run), Some(node)) => story.extend([
                Piece::words(", the latest is run "),
                Piece::name(short(run)),
                Piece::words(" at node "),
                Piece::name(short(node)),
            ]),
            (Some(run), None) => {
                story.extend([Piece::words(", the latest is run "), Piece::name(short(run))]);
            }
            (None, _) => {}
        }
        story.push(Piece::words("."));
    }
    (News::Bad, headline, story)
}

fn recovered(alert: &Alert) -> (News, String, Vec<Piece>) {
    let trigger = &alert.trigger;
    let about = group_words(alert).unwrap_or_else(|| alert.rule.name.clone());
    let headline = headline("Recovered".to_owned(), Some(&about));
    let of = trigger.figure::<String>("event_type").unwrap_or_default();
    let of = if of.is_empty() { "It happened".to_owned() } else { short(happening(&of)) };
    let share = share("ratio", alert).map(|share| format!(" ({share})")).unwrap_or_default();
    let allowed = allowed(alert).map(|allowed| format!("; up to {allowed} allowed"));
    let allowed = allowed.unwrap_or_default();
    let mut story = vec![Piece::words(format!("{of} {}{share}{allowed}.", how_often(alert)))];
    if let Some(since) = trigger.figure::<String>("since") {
        let seconds = unix_seconds(&alert.occurred_at).zip(unix_seconds(&since));
        let before = seconds.and_then(|(now, since)| u64::try_from(now - since).ok());
        story.push(Piece::words(" It was alerted at "));
        story.push(Piece::Time(since));
        story.push(Piece::words(match before {
            Some(seconds) => format!(", {} before.", span(seconds.saturating_mul(1000))),
            None => ".".to_owned(),
        }));
    }
    (News::Good, headline, story)
}

/// `4 times in 10 min`, or `12 of 50 times in 1 h`.
fn how_often(alert: &Alert) -> String {
    let trigger = &alert.trigger;
    let mut words = match (trigger.figure::<u64>("count"), trigger.figure::<u64>("total")) {
        (Some(count), Some(total)) => format!("{count} of {total} times"),
        (Some(1), None) => "once".to_owned(),
        (Some(count), None) if trigger.figure("at_least") == Some(true) => {
            format!("at least {count} times")
        }
        (Some(count), None) => format!("{count} times"),
        (None, _) => "too often".to_owned(),
    };
    if let Some(window) = trigger.figure("window_ms") {
        words.push_str(&format!(" in {}", span(window)));
    }
    words
}

/// What a rule allows, and the verb that follows: `3 are`, `20% are`.
fn allowed(alert: &Alert) -> Option<String> {
    let limit = alert.trigger.figure::<u64>("limit");
    let words = match limit {
        Some(1) => "1 is".to_owned(),
        Some(limit) => format!("{limit} are"),
        None => format!("{} are", share("above", alert)?),
    };
    Some(words)
}

/// A share in percent, with two digits after the point at most.
fn share(figure: &str, alert: &Alert) -> Option<String> {
    let share: f64 = alert.trigger.figure(figure)?;
    let percent = format!("{:.2}", share * 100.0);
    Some(format!("{}%", percent.trim_end_matches('0').trim_end_matches('.')))
}
