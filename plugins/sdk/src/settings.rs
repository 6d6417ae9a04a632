//! Settings as an adapter reads them: JSON into the author's own type, and what
//! is wrong with a pointer to where.

use serde::de::DeserializeOwned;

use crate::Problem;

/// An endpoint's settings, as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings(Vec<u8>);

impl Settings {
    /// Settings of this JSON text, for tests.
    pub fn new(json: impl Into<Vec<u8>>) -> Self {
        Self(json.into())
    }

    /// As the author's type. The problem points to the field that is wrong.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        read(&self.0)
    }

    /// The JSON text.
    pub fn json(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Vec<Problem>> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        vec![Problem { pointer, message: error.into_inner().to_string() }]
    })
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;

    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            // Not a place in the document, but a choice made by the type.
            Segment::Enum { .. } | Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}

impl Problem {
    /// A problem at `pointer` (RFC 6901; empty for the settings as a whole).
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_points_to_the_field_that_is_wrong() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Rooms {
            #[expect(dead_code, reason = "read for its errors alone")]
            rooms: std::collections::BTreeMap<String, Vec<u8>>,
        }
        let problems = |json: &str| Settings::new(json).read::<Rooms>().unwrap_err();
        assert_eq!(problems(r#"{"rooms":{"a/b":[1,"x"]}}"#)[0].pointer, "/rooms/a~1b/1");
        assert_eq!(problems("{}")[0].pointer, "");
        assert!(problems(r#"{"romms":{}}"#)[0].message.contains("unknown field `romms`"));
    }
}
