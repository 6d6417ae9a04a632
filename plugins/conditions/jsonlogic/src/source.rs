//! The rule's text, piece by piece, each with its place: a parsed tree no longer
//! knows where anything stood.

use std::fmt;

use exosphere_alerts_sdk::Diagnostic;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A rule's text, known to be JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'s> {
    text: &'s str,
    pub(crate) root: Piece<'s>,
}

/// One JSON value of the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'s>(&'s RawValue);

impl<'s> Source<'s> {
    /// The text, unless it is not JSON.
    pub(crate) fn parse(text: &'s str) -> Result<Self, Diagnostic> {
        serde_json::from_str(text).map(|root| Self { text, root: Piece(root) }).map_err(|error| {
            let offset = match error.is_eof() {
                true => text.len(),
                false => offset_of(text, error.line(), error.column()),
            };
            // The place is in the diagnostic; in the message it would be there twice.
            let whole = error.to_string();
            let message = whole.split(" at line ").next().unwrap_or_default();
            Diagnostic::at(bytes(offset), 0, format!("the rule is not JSON: {message}"))
        })
    }

    /// A complaint about this piece; about its content, if it is a string.
    pub(crate) fn complain(&self, piece: Piece<'_>, message: impl Into<String>) -> Diagnostic {
        let raw = piece.0.get();
        let quote = usize::from(raw.starts_with('"'));
        // Pieces are slices of the text.
        let start = raw.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        Diagnostic::at(bytes(start + quote), bytes(raw.len() - 2 * quote), message)
    }
}

impl<'s> Piece<'s> {
    /// The fields, in order and with repetitions, if it is an object.
    pub(crate) fn fields(self) -> Option<Vec<(Self, Self)>> {
        self.read::<Fields<'s>>('{').map(|fields| fields.0)
    }

    /// The items, if it is an array.
    pub(crate) fn items(self) -> Option<Vec<Self>> {
        let items: Vec<&RawValue> = self.read('[')?;
        Some(items.into_iter().map(Self).collect())
    }

    /// The value, if it is a string.
    pub(crate) fn string(self) -> Option<String> {
        self.read('"')
    }

    fn read<T: Deserialize<'s>>(self, first: char) -> Option<T> {
        let raw = self.0.get();
        // What fails here has an escape that means nothing, and does not compile either.
        raw.starts_with(first).then(|| serde_json::from_str(raw).ok()).flatten()
    }
}

struct Fields<'s>(Vec<(Piece<'s>, Piece<'s>)>);

impl<'s> Deserialize<'s> for Fields<'s> {
    fn deserialize<D: Deserializer<'s>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'s> Visitor<'s> for InOrder {
            type Value = Fields<'s>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'s>>(self, mut map: A) -> Result<Fields<'s>, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    fields.push((Piece(name), Piece(value)));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// The byte at a line and column, both counted from 1, the column in bytes.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    (before + column.saturating_sub(1)).min(text.len())
}

fn bytes(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
