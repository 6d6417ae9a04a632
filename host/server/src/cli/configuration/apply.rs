//! `exosphere-alerts apply`: makes a host as the files ask for it.

use std::path::PathBuf;
use std::process::ExitCode;

use alerts_domain::label::Label;

use super::complaint::Complaint;
use super::difference::{Difference, shown_field};
use super::files;
use super::host::{Host, HostArgs};
use super::plan::{NoPlan, Plan, Planning};
use super::step::{Kind, Step, What};
use super::wanted::AllWanted;
use crate::cli::{Failure, runtime};
use crate::say::say;

/// A dry run has found something to do.
const CHANGES: u8 = 3;
/// Most complaints that are told at once: who has more mends those first.
const MOST_TOLD: usize = 50;

/// Make a running host as files ask for it
///
/// Reads every .yaml and .yml of the folder: endpoints and rules of the namespace, marks of
/// tenants and grants of plugins. Shows what is different and does it. Everything is checked
/// before anything is changed. Secrets stand in environment variables or files of their own,
/// and are shown nowhere.
///
/// Ends with
///   0  nothing was to be done, or all of it was done
///   1  something is wrong: in the files, at the host, or half-way (then it says how far it came)
///   2  wrong arguments
///   3  with --dry-run: there is something to do
///
/// The same twice says "nothing to do" the second time; so does what `export` has written.
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct Apply {
    /// The folder of the files, or one file.
    #[arg(short, long = "file", value_name = "DIR")]
    from: PathBuf,
    /// Show what would be done, and do nothing. Ends with 3 if there is something.
    #[arg(long)]
    dry_run: bool,
    /// The name of this configuration. What it makes bears it (`managed_by`), and is then
    /// changed under no other name.
    #[arg(long, value_name = "NAME", value_parser = label)]
    label: Option<Label>,
    /// Also delete the endpoints and rules that an earlier apply with this label has made and
    /// that no file has any more. Nothing else is deleted.
    #[arg(long, requires = "label")]
    prune: bool,
    #[command(flatten)]
    host: HostArgs,
}

fn label(text: &str) -> Result<Label, String> {
    text.parse()
}

/// The exit code that [`Apply`] tells of, where nothing failed.
pub(in crate::cli) fn apply(apply: Apply) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        let wanted =
            files::read(&apply.from).and_then(AllWanted::of).map_err(|wrong| refused(&wrong))?;
        let (host, label) = (apply.host.host()?, apply.label.as_ref());
        let planning = Planning { host: &host, label, prune: apply.prune, wanted: &wanted };
        let plan = planning.plan().await.map_err(|no| match no {
            NoPlan::Wrong(wrong) => refused(&wrong),
            NoPlan::Failed(failure) => failure,
        })?;
        if plan.steps.is_empty() {
            say("nothing to do");
            return Ok(ExitCode::SUCCESS);
        }
        plan.steps.iter().flat_map(lines).for_each(say);
        let counts = counts(&plan.steps);
        if apply.dry_run {
            say(format_args!("to be done: {counts}"));
            return Ok(ExitCode::from(CHANGES));
        }
        perform(&host, plan).await?;
        say(format_args!("done: {counts}"));
        Ok(ExitCode::SUCCESS)
    })
}

/// All that is wrong, with nothing changed.
fn refused(wrong: &[Complaint]) -> Failure {
    let mut told: Vec<String> = wrong.iter().take(MOST_TOLD).map(ToString::to_string).collect();
    match wrong.len().saturating_sub(MOST_TOLD) {
        0 => {}
        more => told.push(format!("and {more} more")),
    }
    told.push("nothing was changed".to_owned());
    Failure::Other(told.join("\n"))
}

async fn perform(host: &Host, plan: Plan) -> Result<(), Failure> {
    let Plan { steps, mut endpoints } = plan;
    for (done, step) in steps.iter().enumerate() {
        let asked = step.asked(&endpoints);
        let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
        let sent = host.send(asked.method, &path, asked.body.as_ref(), asked.if_match.as_deref());
        let stopped = |why: String| {
            let (word, name, all) = (step.kind.word(), &step.name, steps.len());
            Failure::Other(format!(
                "{word} `{name}`: {why}\n{done} of {all} steps were done; once this is mended, \
                 apply again, which does the rest"
            ))
        };
        let answer = sent.await.map_err(|failure| match failure {
            Failure::Other(why) => stopped(why),
            failure => failure,
        })?;
        let made = answer.map_err(|refused| match refused.status {
            412 => stopped("somebody has changed it in the meantime".to_owned()),
            _ => stopped(refused.detail()),
        })?;
        if let (What::Create { .. }, Kind::Endpoint, Some(id)) =
            (&step.what, step.kind, made["id"].as_str())
        {
            endpoints.insert(step.name.clone(), id.to_owned());
        }
    }
    Ok(())
}

/// What a step does, as it is shown.
fn lines(step: &Step) -> Vec<String> {
    let (word, name) = (step.kind.word(), &step.name);
    let kept = step.kept.iter().map(|(field, value)| match value.as_object() {
        Some(secrets) => {
            let names: Vec<&str> = secrets.keys().map(String::as_str).collect();
            format!("{field}: {} (not shown)", names.join(", "))
        }
        None => format!("{field}: (not shown)"),
    });
    let (sign, fields): (_, Vec<String>) = match &step.what {
        What::Create { .. } => {
            let is_said = |value: &serde_json::Value| {
                !value.is_null() && value.as_object().is_none_or(|members| !members.is_empty())
            };
            let fields = step.fields.iter().filter(|(name, _)| *name != "name");
            let fields = fields.filter(|(_, value)| is_said(value));
            ('+', fields.map(|(name, value)| shown_field(name, value)).collect())
        }
        What::Change { different, .. } => {
            ('~', different.iter().map(|one| with_reason(one, step)).collect())
        }
        What::Delete { .. } => ('-', Vec::new()),
    };
    let fields = fields.into_iter().chain(kept).map(|line| format!("    {line}"));
    [format!("{sign} {word} {name}")].into_iter().chain(fields).collect()
}

fn with_reason(one: &Difference, step: &Step) -> String {
    match &step.switched_off {
        Some(reason) if one.field() == "is_active" => {
            format!("{} (the host has switched it off: {reason})", one.shown())
        }
        _ => one.shown(),
    }
}

fn counts(steps: &[Step]) -> String {
    let count = |sign: fn(&What) -> bool| steps.iter().filter(|step| sign(&step.what)).count();
    let created = count(|what| matches!(what, What::Create { .. }));
    let changed = count(|what| matches!(what, What::Change { .. }));
    let deleted = count(|what| matches!(what, What::Delete { .. }));
    format!("{created} created, {changed} changed, {deleted} deleted")
}
