//! A condition language: `field = text` holds when that field of the event's
//! data is that text. Replace it by yours.

use exosphere_alerts_sdk::{Diagnostic, EvalError, Language, export_language};
use serde_json::Value;

/// A compiled condition.
#[derive(Debug)]
struct {{type}} {
    field: String,
    text: String,
}

export_language!({{type}});

impl Language for {{type}} {
    type Event<'e> = Value;

    /// Once for each event, however many conditions look at it.
    fn parse_event(event: &[u8]) -> Result<Value, EvalError> {
        serde_json::from_slice(event).map_err(EvalError::new)
    }

    /// When a rule is saved. Offsets are in bytes, at whole characters.
    fn compile(source: &str) -> Result<Self, Vec<Diagnostic>> {
        let complain = |offset: usize, message: &str| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            Err(vec![Diagnostic::at(offset, 0, message)])
        };
        let Some((field, text)) = source.split_once('=') else {
            return complain(source.len(), "expected `=`, as in `status = FAILED`");
        };
        if field.trim().is_empty() {
            return complain(0, "expected the name of a field before `=`");
        }
        Ok(Self { field: field.trim().to_owned(), text: text.trim().to_owned() })
    }

    fn evaluate(&self, event: &Value) -> Result<bool, EvalError> {
        match event.get("data").and_then(|data| data.get(&self.field)) {
            Some(Value::String(value)) => Ok(*value == self.text),
            Some(other) => Ok(other.to_string() == self.text),
            None => Err(EvalError::new(format!("the event has no field `{}`", self.field))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_holds_when_the_field_is_the_text() {
        let event = {{type}}::parse_event(br#"{"data":{"status":"FAILED"}}"#).unwrap();
        let holds = |source: &str| {{type}}::compile(source).unwrap().evaluate(&event);
        assert_eq!(holds("status = FAILED"), Ok(true));
        assert_eq!(holds("status = DONE"), Ok(false));
        assert!(holds("other = 1").is_err());
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        assert_eq!({{type}}::compile("status").unwrap_err()[0].offset, 6);
    }
}
