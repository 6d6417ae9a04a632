//! Settings: which ones the plugin says are good, and what it does with others.

use alerts_domain::problem::FieldError;
use alerts_package::Manifest;
use serde_json::{Map, Value, json};

use super::report::{Finding, all, short};
use crate::lab::Lab;
use crate::{error, sample};

/// The settings to check with. Those given by the author alone, else those that
/// the schema offers.
pub(super) fn known(
    manifest: &Manifest,
    given: Option<Map<String, Value>>,
) -> Vec<Map<String, Value>> {
    given.map_or_else(|| sample::settings(&manifest.settings), |given| vec![given])
}

/// Whether the schema is one, and takes each of the known settings.
pub(super) fn schema_takes(manifest: &Manifest, known: &[Map<String, Value>]) -> Finding {
    let validator = manifest
        .settings_validator()
        .map_err(|error| format!("the settings schema is not one: {error}"))?;
    if known.is_empty() {
        return Err("no settings are known that the schema takes: give it `examples`, or give \
                    this command `--settings`"
            .to_owned());
    }
    let mut wrong = Vec::new();
    for settings in known {
        let settings = Value::from(settings.clone());
        for error in validator.iter_errors(&settings) {
            wrong.push(format!(
                "{} does not fit at `{}`: {error}; mend the schema's `default` or `examples`, or \
                 give `--settings`",
                short(&settings.to_string()),
                error.instance_path()
            ));
        }
    }
    all(wrong, counted(known.len()))
}

/// Whether `check` takes what the schema takes.
pub(super) fn check_takes(lab: &Lab, known: &[Map<String, Value>]) -> Finding {
    let mut wrong = Vec::new();
    for settings in known {
        let json = Value::from(settings.clone()).to_string();
        match lab.check(json.clone()) {
            Err(failed) => wrong.push(format!("{}: {failed}", short(&json))),
            Ok(Ok(())) => {}
            Ok(Err(problems)) => wrong.push(format!(
                "`check` refuses {}: {}; it and the schema should agree on what is good, or give \
                 `--settings`",
                short(&json),
                error::joined(&problems)
            )),
        }
    }
    all(wrong, counted(known.len()))
}

/// What no schema lets through.
const NEVER_SETTINGS: [&str; 7] = ["", "{", "null", "7", "true", "\"text\"", "{\"a\":}"];

/// Whether garbage crashes nothing, and problems can be shown.
pub(super) fn check_refuses_garbage(lab: &Lab) -> Finding {
    let odd = odd(&lab.manifest().settings);
    let garbage = NEVER_SETTINGS.iter().copied().chain(odd.iter().map(String::as_str));
    let (mut wrong, mut asked, mut refused) = (Vec::new(), 0, 0);
    for settings in garbage {
        asked += 1;
        match lab.check(settings.to_owned()) {
            Err(failed) => wrong.push(format!("{}: {failed}", short(settings))),
            // The schema stands before it, and an answer without problems is no refusal.
            Ok(Ok(())) => {}
            Ok(Err(problems)) => {
                refused += u32::from(!problems.is_empty());
                wrong.extend(malformed(settings, &problems));
            }
        }
    }
    all(wrong, format!("{refused} of {asked} refused"))
}

/// Objects whose fields are of every wrong type, and objects that are too much.
fn odd(schema: &Map<String, Value>) -> Vec<String> {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}\r\n\"\\\u{202e}🦀{{x}}${y}"),
        json!("x".repeat(100_000)),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"": {"": null}}),
    ];
    let properties = schema.get("properties").and_then(Value::as_object);
    let names = properties.into_iter().flat_map(Map::keys);
    let mut odd: Vec<String> =
        names.flat_map(|name| values.iter().map(|v| json!({ name: v }).to_string())).collect();
    odd.push(json!({"no such setting \u{1}": 1}).to_string());
    // As deep as the host's own JSON goes: what is deeper is refused before.
    odd.push(format!("{}1{}", "{\"a\":".repeat(120), "}".repeat(120)));
    odd.push("[]".to_owned());
    odd.push("\u{feff}{}".to_owned());
    odd
}

/// A problem has a sentence and a place that can be shown beside a field.
fn malformed(settings: &str, problems: &[FieldError]) -> Vec<String> {
    let settings = short(settings);
    let mut wrong = Vec::new();
    for problem in problems {
        if problem.detail.trim().is_empty() {
            wrong.push(format!("`{settings}`: a problem has no message: say what to change"));
        }
        if !problem.pointer.is_empty() && !problem.pointer.starts_with('/') {
            wrong.push(format!(
                "`{settings}`: the pointer `{}` is not a JSON pointer: it begins with `/`, or is \
                 empty for the whole",
                short(&problem.pointer)
            ));
        }
    }
    wrong
}

fn counted(count: usize) -> String {
    format!("{count} kind{}", if count == 1 { "" } else { "s" })
}
