//! Conditions: a language's name and a source text. What they mean is the
//! condition plugin's business.

use serde::{Deserialize, Deserializer, Serialize};

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
/// a string (JSONLogic) is kept as its JSON text.
impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whole {
            language: String,
            source: serde_json::Value,
        }
        // Not an untagged enum: its errors would not say which field is wrong.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(source) => {
                Ok(Self { language: Self::DEFAULT_LANGUAGE.to_owned(), source })
            }
            value @ serde_json::Value::Object(_) => {
                let whole = Whole::deserialize(value).map_err(serde::de::Error::custom)?;
                let source = match whole.source {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                };
                Ok(Self { language: whole.language, source })
            }
            _ => Err(serde::de::Error::custom(
                "expected a CEL string, or an object with `language` and `source`",
            )),
        }
    }
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
    fn what_is_neither_is_refused_with_what_is_expected() {
        let refuse = |json: &str| serde_json::from_str::<Condition>(json).unwrap_err().to_string();
        for json in ["7", "null", "[]", "true"] {
            assert!(refuse(json).contains("expected a CEL string, or an object"), "{json}");
        }
        assert!(refuse(r#"{"language": "cel"}"#).contains("missing field `source`"));
        assert!(refuse(r#"{"language": "cel", "source": "a", "x": 1}"#).contains("`x`"));
    }
}
