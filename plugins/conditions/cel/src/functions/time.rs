//! The one accessor of times that the specification and the `cel` crate see
//! differently. All others are the crate's, and so are the time zones.

use cel::common::types::{CelDuration, CelInt, CelTimestamp, DURATION_TYPE, TIMESTAMP_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError};

use super::argument;

/// Without a time zone: its name, and the name that its calls get.
pub(crate) const MILLISECONDS: (&str, &str) = ("getMilliseconds", "@milliseconds");

pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    let name = MILLISECONDS.1;
    env.add_member_overload(name, "@duration", DURATION_TYPE, vec![], of_duration)?;
    env.add_member_overload(name, "@timestamp", TIMESTAMP_TYPE, vec![], of_timestamp)
}

/// Those within the second, as of a timestamp.
fn of_duration<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let duration = argument::<CelDuration>(&args, 0)?.inner();
    Ok(CowVal::owned(CelInt::from(i64::from(duration.subsec_millis()))))
}

fn of_timestamp<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let timestamp = argument::<CelTimestamp>(&args, 0)?.inner();
    Ok(CowVal::owned(CelInt::from(i64::from(timestamp.timestamp_subsec_millis()))))
}
