//! The event as the shortcut sees it: a plain tree of JSON, which is quick to
//! make and to look into. CEL's own values of the same event are in `event`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value; numbers as in `event`.
#[derive(Debug)]
pub(crate) enum Node<'e> {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number above the range of `Int`.
    Uint(u64),
    Double(f64),
    Text(Cow<'e, str>),
    List(Vec<Node<'e>>),
    /// In the order of the text. Objects here have a few dozen fields at most,
    /// among which looking from end to end is quicker than hashing.
    Object(Vec<(Name<'e>, Node<'e>)>),
}

impl<'e> Node<'e> {
    /// The field of an object.
    pub(crate) fn field(&self, name: &Name<'_>) -> Option<&Self> {
        self.entry(name).map(|(_, value)| value)
    }

    /// The field of an object, with its name. Of a name that is repeated, the
    /// last one holds, as it does in CEL's map.
    pub(crate) fn entry(&self, name: &Name<'_>) -> Option<(&Name<'e>, &Self)> {
        match self {
            Self::Object(fields) => {
                let found = fields.iter().rev().find(|(known, _)| known.is(name));
                found.map(|(name, value)| (name, value))
            }
            _ => None,
        }
    }
}

/// A field's name, with its first bytes at hand to pass other names by quickly.
#[derive(Debug)]
pub(crate) struct Name<'e> {
    text: Cow<'e, str>,
    head: u64,
}

impl<'e> Name<'e> {
    pub(crate) fn new(text: Cow<'e, str>) -> Self {
        let bytes = text.as_bytes();
        let head = match bytes.first_chunk() {
            Some(head) => u64::from_le_bytes(*head),
            None => bytes.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)),
        };
        Self { text, head }
    }

    pub(crate) fn text(&self) -> &Cow<'e, str> {
        &self.text
    }

    fn is(&self, other: &Name<'_>) -> bool {
        self.head == other.head && same(&self.text, &other.text)
    }
}

/// Whether two texts are equal, eight bytes at a time: a guest's `memcmp` goes
/// byte by byte, and names and values here are mostly shorter than the call.
pub(crate) fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks(), right.as_chunks());
    let eight = |(left, right): (&[u8; 8], &[u8; 8])| {
        u64::from_le_bytes(*left) == u64::from_le_bytes(*right)
    };
    left.iter().zip(right).all(eight)
        && left_rest.iter().zip(right_rest).all(|(left, right)| left == right)
}

impl<'e> Deserialize<'e> for Node<'e> {
    fn deserialize<D: Deserializer<'e>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'e> Visitor<'e> for AnyNode {
    type Value = Node<'e>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'e>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'e>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'e>, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'e>, E> {
        Ok(i64::try_from(value).map_or(Node::Uint(value), Node::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'e>, E> {
        Ok(Node::Double(value))
    }

    fn visit_borrowed_str<E>(self, value: &'e str) -> Result<Node<'e>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'e>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'e>>(self, mut items: A) -> Result<Node<'e>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'e>>(self, mut entries: A) -> Result<Node<'e>, A::Error> {
        // An event has some ten fields, and its data some twenty.
        let mut fields = Vec::with_capacity(16);
        while let Some(name) = entries.next_key()? {
            fields.push((name, entries.next_value()?));
        }
        Ok(Node::Object(fields))
    }
}

impl<'e> Deserialize<'e> for Name<'e> {
    fn deserialize<D: Deserializer<'e>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(AnyNode)? {
            Node::Text(text) => Ok(Self::new(text)),
            _ => Err(serde::de::Error::custom("a field name is a string")),
        }
    }
}
