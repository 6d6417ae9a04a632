//! `math.round` and its like for whole numbers: what an event has as 5 may as
//! well have come as 5.0, which the `cel` crate rounds.

use cel::common::types::{CelBool, CelDouble, CelInt, CelUInt, INT_TYPE, UINT_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};

const ROUNDING: [&str; 4] = ["math.ceil", "math.floor", "math.round", "math.trunc"];

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    for (kind, of) in [("int", INT_TYPE), ("uint", UINT_TYPE)] {
        for name in ROUNDING {
            env.add_overload(name, &format!("{name}({kind})"), vec![of.to_owned()], to_double)?;
        }
        for (name, function) in
            [("math.isNaN", no as _), ("math.isInf", no as _), ("math.isFinite", yes as _)]
        {
            env.add_overload(name, &format!("{name}({kind})"), vec![of.to_owned()], function)?;
        }
    }
    Ok(())
}

fn to_double<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let Some(value) = args.first() else {
        return Err(ExecutionError::invalid_argument_count(1, 0));
    };
    let int = value.downcast_ref::<CelInt>().map(|value| *value.inner() as f64);
    let uint = value.downcast_ref::<CelUInt>().map(|value| *value.inner() as f64);
    Ok(CowVal::owned(CelDouble::from(int.or(uint).unwrap_or_default())))
}

fn no<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Ok(CowVal::owned(CelBool::from(false)))
}

fn yes<'b, 'v>(_: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    Ok(CowVal::owned(CelBool::from(true)))
}
