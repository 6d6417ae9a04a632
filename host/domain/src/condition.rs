//! Conditions: a language's name and a source text. What they mean is the
//! condition plugin's business.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// When a rule fires, in the words of some condition language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
pub struct Condition {
    /// Id of the condition plugin, for example `cel`.
    #[schema(example = "cel")]
    pub language: String,
    /// Source text in that language; for a language written in JSON, the JSON's text.
    #[schema(example = "event.data.errored_count > 3")]
    pub source: String,
}

impl Condition {
    /// The language of a condition given as a bare string.
    pub const DEFAULT_LANGUAGE: &'static str = "cel";
    /// Longest source, in bytes: far above anything a person writes, far below
    /// what would make compiling it a burden.
    pub const MAX_SOURCE_BYTES: usize = 8 * 1024;
}

/// Accepts `"source"`, or `{"language", "source"}` where a source that is not
/// a string (JSONLogic) is kept as its JSON text, with the digits of its numbers.
impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            language: String,
            source: Box<RawValue>,
        }
        // Not an untagged enum: its errors would not say which field is wrong.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                Ok(Self { language: Self::DEFAULT_LANGUAGE.to_owned(), source: string(&raw)? })
            }
            Some(b'{') => {
                let whole: Whole = serde_json::from_str(raw.get()).map_err(without_place)?;
                let source = match whole.source.get().starts_with('"') {
                    true => string(&whole.source)?,
                    false => without_spaces(whole.source.get()),
                };
                Ok(Self { language: whole.language, source })
            }
            _ => Err(D::Error::custom(
                "expected a CEL string, or an object with `language` and `source`",
            )),
        }
    }
}

fn string<E: Error>(raw: &RawValue) -> Result<String, E> {
    serde_json::from_str(raw.get()).map_err(without_place)
}

/// Where it is in the condition's own text helps nobody who wrote the text around it.
fn without_place<E: Error>(error: serde_json::Error) -> E {
    let text = error.to_string();
    E::custom(text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what))
}

/// JSON without the spaces and line breaks between its parts.
fn without_spaces(json: &str) -> String {
    let (mut is_in_string, mut is_escaped) = (false, false);
    json.chars()
        .filter(|&char| {
            let is_kept = is_in_string || !char.is_ascii_whitespace();
            match char {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = is_in_string,
                '"' => is_in_string = !is_in_string,
                _ => {}
            }
            is_kept
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_text_is_cel_and_an_object_names_its_language() {
        let read = |json: &str| serde_json::from_str::<Condition>(json).unwrap();
        let cel = read(r#""event.data.n > 3""#);
        assert_eq!((cel.language.as_str(), cel.source.as_str()), ("cel", "event.data.n > 3"));
        assert_eq!(read(&serde_json::to_string(&cel).unwrap()), cel);
        let logic = read(r#"{"language": "jsonlogic", "source": {">": [{"var": "n"}, 3]}}"#);
        assert_eq!(logic.language, "jsonlogic");
        assert_eq!(logic.source, r#"{">":[{"var":"n"},3]}"#);
    }

    #[test]
    fn a_source_in_json_keeps_its_digits_and_its_texts_and_loses_its_spaces() {
        let pretty = "{\"language\": \"jsonlogic\", \"source\": {\n \"in\": [\"a \\\" b\\\\\", \
                      [ 12345678901234567890, 1.10, 0.12345678901234567890 ]]\t}}";
        let logic: Condition = serde_json::from_str(pretty).unwrap();
        let kept = r#"{"in":["a \" b\\",[12345678901234567890,1.10,0.12345678901234567890]]}"#;
        assert_eq!(logic.source, kept);
        // Also where it was taken apart before.
        let value: serde_json::Value = serde_json::from_str(pretty).unwrap();
        assert!(serde_json::from_value::<Condition>(value).unwrap().source.contains("1.1"));
    }

    #[test]
    fn what_is_neither_is_refused_with_what_is_expected() {
        let refuse = |json: &str| serde_json::from_str::<Condition>(json).unwrap_err().to_string();
        for json in ["7", "null", "[]", "true"] {
            assert!(refuse(json).contains("expected a CEL string, or an object"), "{json}");
        }
        assert!(refuse(r#"{"language": "cel"}"#).contains("missing field `source`"));
        assert!(refuse(r#"{"language": "cel", "source": "a", "x": 1}"#).contains("`x`"));
    }
}
