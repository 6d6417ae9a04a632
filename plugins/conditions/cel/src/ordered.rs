//! The order in which a map is gone through: that of its keys. Left to the map
//! itself it would depend on what the instance has done before, and a verdict
//! with it.

use cel::common::types::{CelList, CelMap, CelMapKey, DYN_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

/// What the range of a comprehension is wrapped in.
pub(crate) const ORDERED: &str = "@ordered";

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload(ORDERED, ORDERED, vec![DYN_TYPE], ordered)
}

/// A map's entries, by their keys.
pub(crate) fn entries<'a, 'v>(map: &'a CelMap<'v>) -> Vec<(&'a CelMapKey<'v>, &'a (dyn Val + 'v))> {
    let mut entries: Vec<_> =
        map.inner().iter().map(|(key, value)| (key, value.as_ref())).collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}

/// A map's keys as a list; anything else as it is.
fn ordered<'b, 'v>(mut args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Some(range) = args.pop() else {
        return Err(ExecutionError::invalid_argument_count(1, 0));
    };
    let Some(map) = range.downcast_ref::<CelMap<'v>>() else { return Ok(range) };
    let keys = entries(map).into_iter().map(|(key, _)| key.inner().clone_as_boxed());
    Ok(CowVal::owned(CelList::from(keys.collect::<Vec<_>>())))
}
