//! Fields of a PATCH: absent keeps, null clears where that means something.

use serde::{Deserialize, Deserializer};

/// A field that may be absent but not null. With `#[serde(default)]`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A field that may be absent, or null. With `#[serde(default)]`.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    struct Patch {
        #[serde(default, deserialize_with = "present")]
        name: Option<String>,
        #[serde(default, deserialize_with = "nullable")]
        limit: Option<Option<u32>>,
    }

    #[test]
    fn absent_null_and_given_are_three_things() {
        let read = |json| serde_json::from_str::<Patch>(json);
        assert_eq!(read("{}").unwrap(), Patch::default());
        assert_eq!(read(r#"{"limit": null}"#).unwrap().limit, Some(None));
        assert_eq!(read(r#"{"limit": 1}"#).unwrap().limit, Some(Some(1)));
        assert!(read(r#"{"name": null}"#).is_err());
    }
}
