//! Functions beyond those of the `cel` crate, and some that replace its own.

pub(crate) mod network;
pub(crate) mod pattern;
pub(crate) mod rounding;
pub(crate) mod sets;
pub(crate) mod time;

use cel::ExecutionError;
use cel::common::value::{CowVal, FromVal};

/// An argument as what its overload was declared with.
fn argument<'a, 'v, T: FromVal<'a, 'v>>(
    args: &'a [CowVal<'_, 'v>],
    index: usize,
) -> Result<&'a T, ExecutionError> {
    args.get(index)
        .and_then(|arg| arg.downcast_ref::<T>())
        .ok_or_else(|| ExecutionError::invalid_argument_count(index + 1, args.len()))
}
