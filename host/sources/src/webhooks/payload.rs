//! Reading what a platform has sent, with the place of what is missing.

use alerts_domain::problem::{FieldError, pointer_to};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// The parts of a body that matter.
pub(super) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Vec<FieldError>> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let at = pointer(error.path());
        vec![FieldError::new(at, format!("the body does not read: {}", error.inner()))]
    })
}

fn pointer(path: &Path) -> String {
    let segments = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => pointer_to(key),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    });
    segments.collect()
}
