//! JSONLogic as a condition language. The event is the data's one field, `event`:
//! `{"var": "event.data.graph_name"}`.
//!
//! The verdict is whether the rule's result is truthy, as JSONLogic has it
//! wherever it asks yes or no: `null`, `false`, `0`, `""` and `[]` are not. A
//! missing variable is `null`.
//!
//! Owns what a tenant is told when a rule is wrong, what is true, and how values
//! compare; the rest of the language is the `datalogic-rs` crate's.

mod check;
mod compare;
mod engine;
mod explain;
mod operator;
mod source;

use datalogic_rs::bumpalo::Bump;
use datalogic_rs::datavalue::OwnedDataValue;
use datalogic_rs::{DataValue, Logic, ParsedData};
use engine::ENGINE;
use exosphere_alerts_sdk::{Diagnostic, EvalError, Language, export_language};

/// The name under which a rule sees the event.
pub(crate) const EVENT: &str = "event";

/// A compiled rule.
pub struct JsonLogic(Logic);

export_language!(JsonLogic);

impl Language for JsonLogic {
    type Event<'e> = ParsedData;

    /// Of a field that is repeated, the first one counts.
    fn parse_event(event: &[u8]) -> Result<ParsedData, EvalError> {
        let text = std::str::from_utf8(event)
            .map_err(|error| EvalError::new(format!("the event is not UTF-8: {error}")))?;
        let parsed = ParsedData::from_json(text)
            .map_err(|error| EvalError::new(format!("the event is not JSON: {error}")))?;
        if parsed.value().is_object() {
            Ok(parsed)
        } else {
            Err(EvalError::new("the event is not a JSON object"))
        }
    }

    fn compile(source: &str) -> Result<Self, Vec<Diagnostic>> {
        let problems = check::problems(source);
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut rule =
            OwnedDataValue::from_json(source).map_err(|error| explain::parse_error(&error))?;
        engine::adopt(&mut rule);
        ENGINE.compile(rule).map(Self).map_err(|error| explain::compile_error(source, &error))
    }

    fn evaluate(&self, event: &ParsedData) -> Result<bool, EvalError> {
        // An arena of its own, so that many rules on one event do not add up.
        let arena = Bump::new();
        let fields = [(EVENT, *event.value())];
        let data = DataValue::Object(&fields);
        let result = ENGINE.evaluate(&self.0, data, &arena);
        let value = result.map_err(|error| explain::eval_error(&self.0, &error))?;
        Ok(ENGINE.truthy(value))
    }
}

#[cfg(test)]
mod tests;
