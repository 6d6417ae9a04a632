//! The attributes of an event, as CloudEvents names them, and what they hold.

use super::nearest::nearest;
use super::types::Type;

/// Those that the specification defines. `data` is what the sender likes.
const KNOWN: [&str; 10] = [
    "data",
    "data_base64",
    "datacontenttype",
    "dataschema",
    "id",
    "source",
    "specversion",
    "subject",
    "time",
    "type",
];

/// The type of an attribute, or why there is none of that name. A sender may add
/// attributes of its own, whose names are small letters and digits.
pub(crate) fn attribute(name: &str) -> Result<Type, String> {
    if name == "data" {
        return Ok(Type::Dyn);
    }
    if KNOWN.contains(&name) {
        return Ok(Type::Text);
    }
    let known = KNOWN.join("`, `");
    if let Some(meant) = nearest(name, KNOWN) {
        return Err(format!(
            "an event has no attribute `{name}`; did you mean `{meant}`? If a sender adds one of \
             that name, write `event['{name}']`"
        ));
    }
    let may_be_an_extension =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if may_be_an_extension {
        return Ok(Type::Dyn);
    }
    Err(format!(
        "an event has no attribute `{name}`; those of its sender are in `event.data`, as in \
         `event.data.{name}`. An event has `{known}`"
    ))
}
