//! The quick look at JSON: whether it reads, and whether a member may be there twice.
//!
//! Names are compared by short hashes, which miss nothing: the same name has the same
//! hash. Different names have it so seldom that a closer look is then cheap. This is
//! on the way of every event, and costs next to nothing beyond reading it.

use std::fmt;
use std::hash::Hasher as _;

use rustc_hash::FxHasher;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What the quick look remembers.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    /// Hashes of the names so far of all objects that are not ended, outermost first:
    /// one list, so that an object costs no allocation of its own.
    names: Vec<u64>,
    is_suspect: bool,
}

impl Sieve {
    /// Reads a value of any shape and keeps nothing of it.
    pub(crate) fn value(&mut self) -> Sifted<'_> {
        Sifted(self)
    }

    /// A member is there twice, as somebody else has seen.
    pub(crate) fn suspect(&mut self) {
        self.is_suspect = true;
    }

    /// Whether a member may have been there twice.
    pub(crate) fn is_suspect(&self) -> bool {
        self.is_suspect
    }

    /// The object whose names begin here has ended.
    fn end_object(&mut self, first: usize) {
        let names = &mut self.names[first..];
        names.sort_unstable();
        self.is_suspect |= names.windows(2).any(|two| two[0] == two[1]);
        self.names.truncate(first);
    }
}

/// Reads one value through a sieve. [`serde::de::IgnoredAny`] would let pass what others
/// cannot read: half a surrogate pair, a number that is too large.
pub(crate) struct Sifted<'s>(&'s mut Sieve);

impl<'de> DeserializeSeed<'de> for Sifted<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sifted<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let first = self.0.names.len();
        while let Some(hash) = members.next_key_seed(HashOfName)? {
            self.0.names.push(hash);
            members.next_value_seed(self.0.value())?;
        }
        self.0.end_object(first);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.0.value())?.is_some() {}
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

struct HashOfName;

impl<'de> DeserializeSeed<'de> for HashOfName {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for HashOfName {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<u64, E> {
        let mut hasher = FxHasher::default();
        hasher.write(name.as_bytes());
        Ok(hasher.finish())
    }
}
