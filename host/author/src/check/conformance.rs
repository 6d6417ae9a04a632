//! The cases of a language's own specification, from a file: conditions, and
//! what each comes to. The file is the author's; its form is in
//! `docs/plugins/conformance.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alerts_sandbox::ConditionError;
use serde::Deserialize;
use serde_json::Value;

use super::report::{Report, short};
use crate::lab::Lab;
use crate::{AuthorError, file, sample};

/// Conditions that are evaluated in one call. A call has fuel for hundreds of
/// plain ones; cases are not always plain.
const AT_ONCE: usize = 16;

/// Cases that are shown of those that do not hold: as many as a person reads.
const MAX_SHOWN: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// Where they are from, for people.
    source: String,
    cases: Vec<Case>,
    /// Why some of the source are not among them, and how many.
    #[serde(default)]
    left_out: BTreeMap<String, usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Its part of the specification. Each is a line of the report.
    suite: String,
    name: String,
    condition: String,
    /// The event's `data`; without it the sample's.
    #[serde(default)]
    data: Option<Value>,
    expect: Expect,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Expect {
    #[serde(rename = "holds")]
    Holds,
    #[serde(rename = "does not hold")]
    DoesNotHold,
    /// At evaluation, or refused when it is written.
    #[serde(rename = "fails")]
    Fails,
    /// A language that checks types refuses it, one that does not gives a verdict.
    #[serde(rename = "holds or refused")]
    HoldsOrRefused,
}

/// What became of a condition.
enum Outcome {
    Verdict(bool),
    Refused(String),
    Failed(String),
}

/// The file that was named, or the one beside the plugin, if there is one.
pub(super) fn file_for(plugin: &Path, named: Option<&Path>) -> Option<PathBuf> {
    let beside = plugin.with_extension("cases.json");
    named.map(Path::to_owned).or_else(|| beside.is_file().then_some(beside))
}

/// One line for each suite.
pub(super) fn check(
    lab: &Lab,
    path: &Path,
    report: &mut Report<'_, '_>,
) -> Result<(), AuthorError> {
    let Cases { source, cases, left_out } = file::json(path)?;
    let mut suites: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    // One after another with the same event are asked together.
    for same in cases.chunk_by(|one, next| one.data == next.data) {
        for some in same.chunks(AT_ONCE) {
            for (case, outcome) in some.iter().zip(outcomes(lab, some)) {
                let (count, wrong) = suites.entry(&case.suite).or_default();
                *count += 1;
                wrong.extend(case.complaint(&outcome));
            }
        }
    }
    report.note(&format!("cases of {source}"));
    for (suite, (count, mut wrong)) in suites {
        let held = count - wrong.len();
        let finding = if wrong.is_empty() {
            Ok(format!("{held} of {count}"))
        } else {
            let more = wrong.len().saturating_sub(MAX_SHOWN);
            wrong.truncate(MAX_SHOWN);
            wrong.insert(0, format!("{held} of {count} hold"));
            if more > 0 {
                wrong.push(format!("and {more} more"));
            }
            Err(wrong.join("\n"))
        };
        report.case(&format!("conformance: the cases of `{suite}` hold"), finding);
    }
    for (reason, count) in left_out {
        report.note(&format!("{count} left out: {reason}"));
    }
    Ok(())
}

/// What becomes of conditions that see the same event.
fn outcomes(lab: &Lab, cases: &[Case]) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = cases
        .iter()
        .map(|case| match lab.compile(&case.condition) {
            Ok(Ok(())) => None,
            Ok(Err(diagnostics)) => {
                let first = diagnostics.into_iter().next();
                Some(Outcome::Refused(first.map(|first| first.message).unwrap_or_default()))
            }
            Err(error) => Some(Outcome::Failed(error.to_string())),
        })
        .collect();
    let compiled = || cases.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_none());
    let sources: Vec<&str> = compiled().map(|(case, _)| case.condition.as_str()).collect();
    let event = match cases.first().and_then(|case| case.data.clone()) {
        Some(data) => sample::event_with(data),
        None => sample::event(),
    };
    let mut verdicts = match lab.evaluate(&sources, event.to_string().into_bytes()) {
        Ok(verdicts) => verdicts.into_iter(),
        Err(error) => vec![Err(ConditionError::Failed(error)); sources.len()].into_iter(),
    };
    let outcomes = outcomes.iter_mut().map(|outcome| {
        outcome.take().unwrap_or_else(|| match verdicts.next() {
            Some(Ok(verdict)) => Outcome::Verdict(verdict),
            Some(Err(error)) => Outcome::Failed(error.to_string()),
            None => Outcome::Failed("no answer".to_owned()),
        })
    });
    outcomes.collect()
}

impl Case {
    /// What is wrong, with what came instead.
    fn complaint(&self, outcome: &Outcome) -> Option<String> {
        let holds = match (self.expect, outcome) {
            (Expect::Holds | Expect::HoldsOrRefused, Outcome::Verdict(verdict)) => *verdict,
            (Expect::DoesNotHold, Outcome::Verdict(verdict)) => !verdict,
            (Expect::HoldsOrRefused, Outcome::Refused(_)) => true,
            (Expect::Fails, Outcome::Refused(_) | Outcome::Failed(_)) => true,
            _ => false,
        };
        if holds {
            return None;
        }
        let came = match outcome {
            Outcome::Verdict(verdict) => verdict.to_string(),
            Outcome::Refused(why) => format!("refused: {why}"),
            Outcome::Failed(why) => format!("failed: {why}"),
        };
        Some(format!("{}: `{}`: {came}", self.name, short(&self.condition)))
    }
}
