//! `plugin check`: a conformance suite on the production sandbox. Each line is
//! one promise of the contract, kept or not, and what to do if not.

mod answers;
mod condition;
mod conformance;
mod hostile;
mod report;
mod request;
mod settings;
mod target;

use std::path::PathBuf;

use alerts_package::{Kind, digest, read_manifest};
use serde_json::{Map, Value};

use crate::lab::Lab;
use crate::{AuthorError, Paper, file};
use report::Report;
pub use report::Score;

/// Arguments of `plugin check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The plugin file.
    pub file: PathBuf,
    /// Of a target: settings to check it with, a JSON object, instead of those
    /// that its schema offers.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Of a condition language: a source that must compile. May be repeated.
    #[arg(long, value_name = "TEXT")]
    pub source: Vec<String>,
    /// Of a condition language: cases of its specification, as
    /// docs/plugins/conformance.md has them. Without it those beside the plugin
    /// file, in NAME.cases.json, if they are there.
    #[arg(long, value_name = "FILE")]
    pub cases: Option<PathBuf>,
}

impl Args {
    /// The file alone.
    pub fn of(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), settings: None, source: Vec::new(), cases: None }
    }
}

/// Runs the suite and prints a line for each case. An error means that nothing
/// could be checked at all.
pub fn run(args: &Args, paper: &mut Paper<'_>) -> Result<Score, AuthorError> {
    let wasm = file::bytes(&args.file)?;
    let given: Option<Map<String, Value>> = args.settings.as_deref().map(file::json).transpose()?;
    let mut report = Report::new(paper);
    let manifest = match read_manifest(&wasm) {
        Ok(manifest) => manifest,
        Err(refused) => {
            report.case("the file is a component with a valid manifest", Err(refused.to_string()));
            return Ok(report.finish());
        }
    };
    report.heading(&format!(
        "{} `{}` {} ({})",
        manifest.kind.word(),
        manifest.id,
        manifest.version,
        digest(&wasm)
    ));
    report.case("the file is a component with a valid manifest", Ok(String::new()));
    let lab = match Lab::open(&wasm) {
        Ok(lab) => lab,
        Err(AuthorError::Load(refused)) => {
            report.case("the sandbox admits it", Err(refused.to_string()));
            return Ok(report.finish());
        }
        Err(error) => return Err(error),
    };
    let note = format!("compiled in {} ms; it imports nothing", lab.loaded_in.as_millis());
    report.case("the sandbox admits it", Ok(note));
    match manifest.kind {
        Kind::Target => target::check(&lab, given, &mut report)?,
        Kind::Condition => {
            condition::check(&lab, &args.source, &mut report);
            match conformance::file_for(&args.file, args.cases.as_deref()) {
                Some(cases) => conformance::check(&lab, &cases, &mut report)?,
                None => report.note(
                    "conformance: no cases of the language's specification: give some with \
                     `--cases`, or as NAME.cases.json beside the plugin",
                ),
            }
        }
    }
    Ok(report.finish())
}
