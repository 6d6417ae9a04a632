//! `plugin run`: steps through one call of a plugin. A target's requests are
//! shown and answered from a script, or sent for real; a condition is judged.

use std::collections::BTreeMap;
use std::path::PathBuf;

use alerts_domain::Timestamp;
use alerts_domain::address::AddressRules;
use alerts_domain::event::Event;
use alerts_domain::exchange::{Outcome, Request, Response, TransportError};
use alerts_domain::header::Headers;
use alerts_domain::secret::Secret;
use alerts_package::Kind;
use alerts_sandbox::{ConditionError, Diagnostic};
use bytes::Bytes;
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::conversation::converse;
use crate::lab::Lab;
use crate::scene::{Props, Scene, sample_now};
use crate::{AuthorError, Paper, compare, file, sample, show};

/// Arguments of `plugin run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plugin file.
    file: PathBuf,
    /// A CloudEvent as JSON; a failed run when there is none.
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Of a condition language: the condition.
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// Of a target: the endpoint's settings, a JSON object.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Of a target: the endpoint's `target_url`.
    #[arg(long)]
    url: Option<String>,
    /// Of a target: a secret that the endpoint holds. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = secret)]
    secret: Vec<(String, Secret)>,
    /// Whether the alert carries all of the event's data.
    #[arg(long)]
    include_event_data: bool,
    /// Answers to the requests, in order: a JSON list of `{"status", "headers", "body"}` or
    /// `{"failed": {"kind": "timeout", "detail": "…"}}`. Every request is answered 200 when
    /// there is none.
    #[arg(long, value_name = "FILE", conflicts_with = "send")]
    respond: Option<PathBuf>,
    /// Send the requests for real, by the same rules as a host.
    #[arg(long)]
    send: bool,
    /// With --send: a network that may be sent to besides the public internet, as a CIDR.
    /// May be repeated.
    #[arg(long, value_name = "CIDR")]
    allow: Vec<IpNet>,
}

fn secret(text: &str) -> Result<(String, Secret), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), Secret::new(value)))
}

/// One answer of a script.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Answer {
    Failed(Failed),
    Response(Answered),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failed {
    failed: TransportError,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Text, or any other JSON, which is sent as JSON.
    #[serde(default)]
    body: Value,
}

impl Answer {
    fn outcome(self) -> Outcome {
        match self {
            Self::Failed(Failed { failed }) => Outcome::Failed(failed),
            Self::Response(Answered { status, headers, body }) => {
                let body = match body {
                    Value::Null => Bytes::new(),
                    Value::String(text) => text.into(),
                    json => json.to_string().into(),
                };
                let headers: Headers =
                    headers.into_iter().map(|(k, v)| (k.to_ascii_lowercase(), v)).collect();
                Outcome::Response(Response {
                    status,
                    headers,
                    body,
                    truncated: false,
                    incomplete: None,
                })
            }
        }
    }

    fn ok() -> Self {
        Self::Response(Answered { status: 200, headers: BTreeMap::new(), body: Value::Null })
    }
}

/// Steps through it.
pub fn run(args: &Args, paper: &mut Paper<'_>) -> Result<(), AuthorError> {
    let lab = Lab::open(&file::bytes(&args.file)?)?;
    let event = args.event.as_deref().map(file::json).transpose()?;
    let event: Value = event.unwrap_or_else(sample::event);
    match lab.manifest().kind {
        Kind::Target => target(args, &lab, &event, paper),
        Kind::Condition => condition(args, &lab, &event, paper),
    }
}

fn target(args: &Args, lab: &Lab, event: &Value, paper: &mut Paper<'_>) -> Result<(), AuthorError> {
    let manifest = lab.manifest();
    if args.source.is_some() {
        return Err(AuthorError::Arguments(format!(
            "`{}` is a target; `--source` is for condition languages",
            manifest.id
        )));
    }
    let given: Option<Map<String, Value>> = args.settings.as_deref().map(file::json).transpose()?;
    let settings = given
        .or_else(|| sample::settings(&manifest.settings).into_iter().next())
        .unwrap_or_default();
    let json = Value::from(settings.clone()).to_string();
    if let Err(problems) = lab.check(json)? {
        return Err(AuthorError::Settings(problems));
    }
    let mut secrets: BTreeMap<String, Secret> = args.secret.iter().cloned().collect();
    if let Some(unknown) =
        secrets.keys().find(|name| !manifest.secrets.iter().any(|slot| slot.name == **name))
    {
        return Err(AuthorError::Arguments(format!(
            "`{}` knows no secret `{unknown}`; see `plugin inspect`",
            manifest.id
        )));
    }
    for slot in manifest.secrets.iter().filter(|slot| slot.required) {
        if !secrets.contains_key(&slot.name) {
            if args.send {
                return Err(AuthorError::Arguments(format!(
                    "`{}` needs it: --secret {}=VALUE ({})",
                    manifest.id, slot.name, slot.summary
                )));
            }
            secrets.insert(slot.name.clone(), Secret::new(format!("sample-{}", slot.name)));
        }
    }
    if args.send && args.url.is_none() && manifest.default_url.is_none() {
        return Err(AuthorError::Arguments(format!(
            "`{}` has no `default_url`: say with `--url` where to send",
            manifest.id
        )));
    }
    // The signature that leaves for real must be of now.
    let now = if args.send { Timestamp::now() } else { sample_now() };
    let rules = AddressRules::new(args.allow.clone());
    let props = Props { url: args.url.clone(), settings, secrets, rules, now, ..Props::default() };
    let scene = Scene::set(manifest, props)?;
    let delivery = scene.any_delivery();
    let told = scene.told_of(delivery, event, args.include_event_data)?;
    let script: Vec<Answer> =
        args.respond.as_deref().map(file::json).transpose()?.unwrap_or_default();

    if let Some(key) = lab.ordering_key(&told)? {
        paper.line(format_args!("--- ordering key: {key}"));
    }
    let ended = converse(lab, &told, now, |index, request, is_last| {
        let last = if is_last { ", the last: the host judges its answer" } else { "" };
        paper.line(format_args!("--- request {}{last}", index + 1));
        paper.indented(2, &show::request(request));
        let sent = scene.reveal(request);
        show_sent(request, &sent, paper);
        let outcome = match sent {
            Err(refused) => Outcome::Failed(refused),
            Ok(_) if args.send => lab.wait(scene.perform(request)),
            Ok(_) => script.get(index).cloned().unwrap_or_else(Answer::ok).outcome(),
        };
        let from = if args.send { "" } else { ", from the script" };
        paper.line(format_args!("--- answer {}{from}", index + 1));
        paper.indented(2, &show::outcome(&outcome));
        outcome
    })?;
    paper.line("--- verdict");
    paper.indented(2, &show::verdict(&ended.verdict));
    if ended.exchanges.len() < script.len() {
        let left = script.len() - ended.exchanges.len();
        paper.line(format_args!("  ({left} of the script's answers were not asked for)"));
    }
    Ok(())
}

/// What leaves, where it is not what the adapter wrote.
fn show_sent(request: &Request, sent: &Result<Request, TransportError>, paper: &mut Paper<'_>) {
    match sent {
        Err(refused) => {
            paper.line("--- the host does not send it");
            paper.indented(2, &refused.to_string());
        }
        Ok(sent) if sent == request => {}
        Ok(sent) => {
            paper.line("--- what is different as it leaves: secrets, signature");
            paper.indented(2, &compare::requests(request, sent).join("\n"));
        }
    }
}

fn condition(
    args: &Args,
    lab: &Lab,
    event: &Value,
    paper: &mut Paper<'_>,
) -> Result<(), AuthorError> {
    let id = &lab.manifest().id;
    let Some(source) = &args.source else {
        return Err(AuthorError::Arguments(format!(
            "`{id}` is a condition language: give the condition with `--source`"
        )));
    };
    if let Err(diagnostics) = lab.compile(source)? {
        paper.line("does not compile:");
        for diagnostic in &diagnostics {
            paper.indented(2, &under_the_source(source, diagnostic));
        }
        return Err(AuthorError::Arguments(format!("the condition does not compile in `{id}`")));
    }
    let event = Event::from_structured(Bytes::from(event.to_string()));
    let event = event.map_err(AuthorError::Event)?;
    let verdict = lab.evaluate(&[source], event.shown())?.into_iter().next();
    let used = lab.last_use();
    match verdict {
        Some(Ok(fires)) => paper.line(fires),
        Some(Err(ConditionError::Evaluation { message })) => {
            paper.line(format_args!("no verdict, so the rule does not fire: {message}"));
        }
        Some(Err(error)) => paper.line(format_args!("no verdict: {error}")),
        None => paper.line("no verdict"),
    }
    paper.line(format_args!(
        "{} of {} units of fuel, {} KiB of memory",
        used.fuel,
        lab.limits().condition.fuel,
        used.memory_bytes / 1024
    ));
    Ok(())
}

/// The line that a diagnostic is about, and carets under the place.
fn under_the_source(source: &str, diagnostic: &Diagnostic) -> String {
    let boundary = |offset: usize| source.floor_char_boundary(offset.min(source.len()));
    let start = boundary(diagnostic.offset as usize);
    let end = boundary(start.saturating_add(diagnostic.length as usize)).max(start);
    let line_start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = source[start..].find('\n').map_or(source.len(), |newline| start + newline);
    // One space for each character before, so that it stands under its place; a
    // tab stays one.
    let before: String =
        source[line_start..start].chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let marked = source[start..end.min(line_end).max(start)].chars().count().max(1);
    let Diagnostic { message, .. } = diagnostic;
    format!("{}\n{before}{} {message}", &source[line_start..line_end], "^".repeat(marked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u32, length: u32) -> Diagnostic {
        Diagnostic { message: "no".into(), offset, length }
    }

    #[test]
    fn carets_stand_under_the_place_in_its_line() {
        assert_eq!(under_the_source("a == (b", &at(5, 2)), "a == (b\n     ^^ no");
        assert_eq!(under_the_source("one\nü ==", &at(7, 2)), "ü ==\n  ^^ no");
        assert_eq!(under_the_source("", &at(0, 0)), "\n^ no");
    }

    #[test]
    fn a_diagnostic_beyond_the_source_does_no_harm() {
        assert_eq!(under_the_source("ab", &at(u32::MAX, u32::MAX)), "ab\n  ^ no");
    }

    #[test]
    fn a_script_answers_with_a_response_or_a_failure() {
        let script = r#"[{"status": 429, "headers": {"Retry-After": "3"}, "body": {"a": 1}},
            {"failed": {"kind": "timeout", "detail": "after 10 s"}}]"#;
        let script: Vec<Answer> = serde_json::from_str(script).unwrap();
        let outcomes: Vec<Outcome> = script.into_iter().map(Answer::outcome).collect();
        let Outcome::Response(first) = &outcomes[0] else { panic!("{outcomes:?}") };
        assert_eq!((first.status, first.headers.get("retry-after")), (429, Some("3")));
        assert_eq!(first.body, r#"{"a":1}"#);
        assert_eq!(outcomes[1], Outcome::Failed(TransportError::Timeout("after 10 s".into())));
    }
}
