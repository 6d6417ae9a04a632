//! The event as CEL sees it: its tree made into CEL's values, strings borrowed
//! from the event's bytes wherever they hold no escapes.

use std::borrow::Cow;
use std::collections::HashMap;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull};
use cel::common::types::{CelString, CelUInt};
use cel::common::value::Val;

use crate::node::{Name, Node};
use crate::wanted::Wanted;

type Any<'e> = Box<dyn Val + 'e>;

/// Integers are `int` (`uint` above its range), other numbers `double`; CEL
/// compares them with each other, so `event.data.n > 3` holds for 3.5 too.
pub(crate) fn whole<'e>(node: &Node<'e>) -> Any<'e> {
    match node {
        Node::Null => Box::new(CelNull),
        Node::Bool(value) => Box::new(CelBool::from(*value)),
        Node::Int(value) => Box::new(CelInt::from(*value)),
        Node::Uint(value) => Box::new(CelUInt::from(*value)),
        Node::Double(value) => Box::new(CelDouble::from(*value)),
        Node::Text(value) => Box::new(text(value)),
        Node::List(items) => Box::new(CelList::from(items.iter().map(whole).collect::<Vec<_>>())),
        Node::Object(fields) => {
            object(fields.iter().map(|(name, value)| (name, whole(value))), fields.len())
        }
    }
}

/// Only what is wanted of it.
pub(crate) fn part<'e>(node: &Node<'e>, wanted: &Wanted) -> Any<'e> {
    match (node, wanted) {
        (Node::Object(_), Wanted::Fields(wanted)) => {
            let found = wanted.iter().filter_map(|(name, wanted)| {
                let (name, value) = node.entry(&Name::new(Cow::Borrowed(name.as_str())))?;
                Some((name, part(value, wanted)))
            });
            object(found, wanted.len())
        }
        // A field of what has none is an error, and the error names the type.
        _ => whole(node),
    }
}

fn object<'e: 'n, 'n>(
    fields: impl Iterator<Item = (&'n Name<'e>, Any<'e>)>,
    count: usize,
) -> Any<'e> {
    let mut map: HashMap<CelMapKey<'e>, Any<'e>> = HashMap::with_capacity(count);
    // Of a name that is repeated the last one holds.
    map.extend(fields.map(|(name, value)| (CelMapKey::String(text(name.text())), value)));
    Box::new(CelMap::from(map))
}

fn text<'e>(text: &Cow<'e, str>) -> CelString<'e> {
    match text {
        Cow::Borrowed(text) => CelString::from(*text),
        Cow::Owned(text) => CelString::from(text.clone()),
    }
}
