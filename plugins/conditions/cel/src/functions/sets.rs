//! Lists taken as sets: `sets.contains`, `sets.equivalent`, `sets.intersects`.

use cel::common::types::{CelBool, CelList, LIST_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};

use super::argument;
use crate::operators::equal;

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    for (name, function) in [
        ("sets.contains", contains as _),
        ("sets.equivalent", equivalent as _),
        ("sets.intersects", intersects as _),
    ] {
        env.add_overload(name, name, vec![LIST_TYPE, LIST_TYPE], function)?;
    }
    Ok(())
}

type Items<'a, 'v> = &'a [Box<dyn Val + 'v>];

fn judge<'b, 'v>(
    args: &[CowVal<'b, 'v>],
    test: fn(Items<'_, 'v>, Items<'_, 'v>) -> bool,
) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let left = argument::<CelList<'v>>(args, 0)?.inner();
    let right = argument::<CelList<'v>>(args, 1)?.inner();
    Ok(CowVal::owned(CelBool::from(test(left, right))))
}

fn has<'v>(items: Items<'_, 'v>, wanted: &(dyn Val + 'v)) -> bool {
    items.iter().any(|item| equal(item.as_ref(), wanted))
}

fn has_all<'v>(items: Items<'_, 'v>, wanted: Items<'_, 'v>) -> bool {
    wanted.iter().all(|wanted| has(items, wanted.as_ref()))
}

fn contains<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    judge(&args, has_all)
}

fn equivalent<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    judge(&args, |left, right| has_all(left, right) && has_all(right, left))
}

fn intersects<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    judge(&args, |left, right| right.iter().any(|item| has(left, item.as_ref())))
}
