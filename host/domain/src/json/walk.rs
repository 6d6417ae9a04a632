//! A walk over JSON that remembers where it is, and which names it has seen there.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{JsonError, JsonFault};
use crate::problem::pointer_to;

/// Up to this many members of one object are looked through one by one, which is
/// faster than to hash them; nearly all objects have fewer.
const NARROW: usize = 16;

/// Where the reader is, and what it has seen of all that encloses it. After an error
/// it stands where the error is.
#[derive(Debug)]
pub(crate) struct Walk<'de> {
    /// The values that are begun and not ended, outermost first.
    open: Vec<Open<'de>>,
    /// The names so far of all open objects, outermost first: one list, so that an
    /// object costs no allocation of its own.
    names: Vec<Cow<'de, str>>,
    takes_repetitions: bool,
    is_repeated: bool,
}

#[derive(Debug)]
enum Open<'de> {
    Object {
        /// Where its names begin.
        first: usize,
        /// All of its names, once they are many.
        wide: Option<HashSet<Cow<'de, str>>>,
    },
    Array {
        index: usize,
    },
}

impl<'de> Walk<'de> {
    /// One that takes no member twice.
    pub(crate) fn strict() -> Self {
        Self { open: Vec::new(), names: Vec::new(), takes_repetitions: false, is_repeated: false }
    }

    /// One over what was let in already, perhaps by a release that looked less closely.
    pub(crate) fn lenient() -> Self {
        Self { takes_repetitions: true, ..Self::strict() }
    }

    /// Reads a value of any shape and keeps nothing of it.
    pub(crate) fn value(&mut self) -> Checked<'_, 'de> {
        Checked(self)
    }

    /// An object begins.
    pub(crate) fn begin_object(&mut self) {
        self.open.push(Open::Object { first: self.names.len(), wide: None });
    }

    /// Its next member has this name.
    pub(crate) fn member<E: Error>(&mut self, name: &Cow<'de, str>) -> Result<(), E> {
        if let Some(Open::Object { first, wide }) = self.open.last_mut() {
            let known = &self.names[*first..];
            let is_known = match wide {
                Some(wide) => !wide.insert(name.clone()),
                None => known.contains(name),
            };
            if wide.is_none() && known.len() == NARROW {
                *wide = Some(known.iter().chain([name]).cloned().collect());
            }
            self.is_repeated |= is_known && !self.takes_repetitions;
        }
        self.names.push(name.clone());
        if self.is_repeated { Err(E::custom("a member is there twice")) } else { Ok(()) }
    }

    fn begin_array(&mut self) {
        self.open.push(Open::Array { index: 0 });
    }

    fn next_item(&mut self) {
        if let Some(Open::Array { index }) = self.open.last_mut() {
            *index += 1;
        }
    }

    /// The innermost object or array ends.
    pub(crate) fn end(&mut self) {
        if let Some(Open::Object { first, .. }) = self.open.pop() {
            self.names.truncate(first);
        }
    }

    /// What made the reader stop, here.
    pub(crate) fn explain(&self, error: &serde_json::Error) -> JsonError {
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
        let mut pointer = String::new();
        for (depth, open) in self.open.iter().enumerate() {
            match open {
                Open::Array { index } => pointer.push_str(&format!("/{index}")),
                Open::Object { first, .. } => {
                    // Its newest name stands before the names of the object within it.
                    let inner = self.open[depth + 1..].iter().find_map(|open| match open {
                        Open::Object { first, .. } => Some(*first),
                        Open::Array { .. } => None,
                    });
                    let end = inner.unwrap_or(self.names.len());
                    if let Some(name) = self.names[*first..end].last() {
                        pointer.push_str(&pointer_to(name));
                    }
                }
            }
        }
        pointer
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
pub(crate) struct Name<'de>(pub(crate) Cow<'de, str>);

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

/// Reads one value under the eyes of a walk. [`serde::de::IgnoredAny`] would let pass
/// what others cannot read: half a surrogate pair, a number that is too large.
pub(crate) struct Checked<'w, 'de>(&'w mut Walk<'de>);

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
        self.0.begin_object();
        while let Some(Name(name)) = members.next_key()? {
            self.0.member(&name)?;
            members.next_value_seed(self.0.value())?;
        }
        self.0.end();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.begin_array();
        while items.next_element_seed(self.0.value())?.is_some() {
            self.0.next_item();
        }
        self.0.end();
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
