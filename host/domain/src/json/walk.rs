//! The close look at JSON in which something is wrong: a walk that remembers where it
//! is, and which names it has seen there.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::error::{JsonError, JsonFault};
use crate::problem::pointer_to;

/// Where the reader is, and what it has seen of all that encloses it. After an error
/// it stands where the error is.
#[derive(Debug, Default)]
pub(super) struct Walk<'de> {
    /// The values that are begun and not ended, outermost first.
    open: Vec<Open<'de>>,
    is_repeated: bool,
}

#[derive(Debug)]
enum Open<'de> {
    Object { names: HashSet<Cow<'de, str>>, newest: Option<Cow<'de, str>> },
    Array { index: usize },
}

impl<'de> Walk<'de> {
    /// Reads a value of any shape and keeps nothing of it.
    pub(super) fn value(&mut self) -> Checked<'_, 'de> {
        Checked(self)
    }

    /// The next member of the innermost object has this name.
    fn member<E: Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        if let Some(Open::Object { names, newest }) = self.open.last_mut() {
            *newest = Some(name.clone());
            self.is_repeated = !names.insert(name);
        }
        if self.is_repeated { Err(E::custom("a member is there twice")) } else { Ok(()) }
    }

    fn next_item(&mut self) {
        if let Some(Open::Array { index }) = self.open.last_mut() {
            *index += 1;
        }
    }

    /// What made the reader stop, here.
    pub(super) fn explain(&self, error: &serde_json::Error) -> JsonError {
        let fault = match self.is_repeated {
            true => JsonFault::Repeated,
            false => JsonFault::Malformed {
                what: plain(error),
                line: error.line(),
                column: error.column(),
            },
        };
        JsonError { pointer: self.pointer(), fault }
    }

    fn pointer(&self) -> String {
        let tokens = self.open.iter().filter_map(|open| match open {
            Open::Array { index } => Some(format!("/{index}")),
            Open::Object { newest, .. } => newest.as_deref().map(pointer_to),
        });
        tokens.collect()
    }
}

/// The reader's reason without its place, and in words where it has its own.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    match what {
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => {
            "half a surrogate pair".to_owned()
        }
        "invalid unicode code point" => "bytes that are not UTF-8".to_owned(),
        other => other.to_owned(),
    }
}

/// The name of a member, which is copied only where it holds an escape.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed;

        impl<'de> Visitor<'de> for Borrowed {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrowed)
    }
}

/// Reads one value under the eyes of a walk.
pub(super) struct Checked<'w, 'de>(&'w mut Walk<'de>);

impl<'de> DeserializeSeed<'de> for Checked<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.0.open.push(Open::Object { names: HashSet::new(), newest: None });
        while let Some(Name(name)) = members.next_key()? {
            self.0.member(name)?;
            members.next_value_seed(self.0.value())?;
        }
        self.0.open.pop();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.open.push(Open::Array { index: 0 });
        while items.next_element_seed(self.0.value())?.is_some() {
            self.0.next_item();
        }
        self.0.open.pop();
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}
