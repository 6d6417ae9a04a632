//! Texts that a file may leave to the environment, or to another file: secrets always, some
//! others where that is of use.

use std::fmt;
use std::path::{Path, PathBuf};

use alerts_domain::secret::Secret;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Largest file that a text is read from, in bytes: far above the longest secret.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// Where a text is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "Named", rename_all = "lowercase")]
pub(super) enum Source {
    /// The environment variable that holds it.
    Env(String),
    /// The file that holds it, seen from the folder of the file that names it. One line
    /// break at its end is none of it.
    #[schema(value_type = String)]
    File(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    env: Option<String>,
    file: Option<PathBuf>,
}

impl TryFrom<Named> for Source {
    type Error = &'static str;

    fn try_from(named: Named) -> Result<Self, Self::Error> {
        match (named.env, named.file) {
            (Some(name), None) => Ok(Self::Env(name)),
            (None, Some(file)) => Ok(Self::File(file)),
            _ => Err("name either the environment variable (`env`) or the file (`file`) that \
                      holds it"),
        }
    }
}

impl Source {
    /// The text, or what is missing. `folder` is that of the file that names it.
    pub(super) fn resolve(&self, folder: &Path) -> Result<Secret, String> {
        let (text, from) = match self {
            Self::Env(name) => {
                let text = std::env::var(name);
                let text = text.map_err(|error| match error {
                    std::env::VarError::NotPresent => {
                        format!("the environment variable {name} is not set")
                    }
                    std::env::VarError::NotUnicode(_) => {
                        format!("the environment variable {name} is not UTF-8")
                    }
                });
                (text?, format!("the environment variable {name}"))
            }
            Self::File(file) => {
                let file = folder.join(file);
                let from = format!("the file {}", file.display());
                let wrong = |error| format!("{from} does not read: {error}");
                let bytes = std::fs::metadata(&file).map_err(wrong)?.len();
                if bytes > MAX_FILE_BYTES {
                    return Err(format!("{from} has {bytes} bytes, more than {MAX_FILE_BYTES}"));
                }
                (std::fs::read_to_string(&file).map_err(wrong)?, from)
            }
        };
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() { Err(format!("{from} is empty")) } else { Ok(Secret::new(line)) }
    }
}

/// A text as it stands, or where it is.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum Text {
    /// As it stands.
    Plain(String),
    /// Kept elsewhere, and shown nowhere.
    Kept(Source),
}

/// Not a derived untagged enum: its errors would not say what is expected.
impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or an object with `env` or `file`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text::Plain(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text, A::Error> {
                Source::deserialize(MapAccessDeserializer::new(map)).map(Text::Kept)
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

impl Text {
    /// The text, or what is missing.
    pub(super) fn resolve(&self, folder: &Path) -> Result<Secret, String> {
        match self {
            Self::Plain(text) => Ok(Secret::new(text.as_str())),
            Self::Kept(source) => source.resolve(folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Text, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_stands_there_or_is_kept_elsewhere() {
        assert_eq!(read(r#""x""#).unwrap(), Text::Plain("x".into()));
        assert_eq!(read(r#"{"env": "X"}"#).unwrap(), Text::Kept(Source::Env("X".into())));
        for wrong in ["{}", r#"{"env": "X", "file": "y"}"#, r#"{"vault": "x"}"#, "1"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_is_read_without_its_last_line_break_and_named_when_it_is_of_no_use() {
        let folder = tempfile::tempdir().unwrap();
        let of = |content: &str| {
            std::fs::write(folder.path().join("s"), content).unwrap();
            let secret = Source::File("s".into()).resolve(folder.path());
            secret.map(|secret| secret.expose().to_owned())
        };
        assert_eq!(of("hush \r\n").unwrap(), "hush ");
        assert_eq!(of("two\nlines").unwrap(), "two\nlines");
        assert!(of("\n").unwrap_err().ends_with("is empty"));
        assert!(of(&"x".repeat(20_000)).unwrap_err().contains("20000 bytes"));
        let missing = Source::File("t".into()).resolve(folder.path()).unwrap_err();
        assert!(missing.contains("does not read"), "{missing}");
        let unset = Source::Env("ALERTS_TEST_NEVER_SET".into()).resolve(folder.path());
        assert!(unset.unwrap_err().contains("ALERTS_TEST_NEVER_SET is not set"));
    }
}
