//! An event's attributes, read without its data: that may be large, and is only
//! checked to be JSON, not taken apart.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::json::{self, Name, Walk};
use crate::problem::FieldError;

/// Reads a JSON object: all of its members by name, with null in place of `data`.
///
/// # Errors
/// It is not JSON, is no object, or has a member twice.
pub(super) fn read(body: &[u8]) -> Result<Map<String, Value>, FieldError> {
    let told = |error: json::JsonError| match error.pointer.as_str() {
        "" => FieldError::new("", format!("the event {}", error.fault)),
        _ => FieldError::new(error.pointer, error.fault.to_string()),
    };
    if !body.trim_ascii_start().starts_with(b"{") {
        json::check(body).map_err(told)?;
        return Err(FieldError::new("", "an event is a JSON object"));
    }
    let mut walk = Walk::strict();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = Attributes { walk: &mut walk, is_data_checked: true }.deserialize(&mut reader);
    read.and_then(|attributes| reader.end().map(|()| attributes))
        .map_err(|error| told(walk.explain(&error)))
}

/// The same of an event that is stored, which was let in: nothing is checked again, and
/// of a repeated member, which older releases let in, the last one counts.
pub(super) fn read_stored(body: &[u8]) -> Option<Map<String, Value>> {
    let mut walk = Walk::lenient();
    let mut reader = serde_json::Deserializer::from_slice(body);
    Attributes { walk: &mut walk, is_data_checked: false }.deserialize(&mut reader).ok()
}

struct Attributes<'w, 'de> {
    walk: &'w mut Walk<'de>,
    is_data_checked: bool,
}

impl<'de> DeserializeSeed<'de> for Attributes<'_, 'de> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Attributes<'_, 'de> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut attributes = Map::new();
        self.walk.begin_object();
        while let Some(Name(name)) = members.next_key()? {
            self.walk.member(&name)?;
            let value = match (name.as_ref(), self.is_data_checked) {
                ("data", true) => members.next_value_seed(self.walk.value()).map(|()| Value::Null)?,
                ("data", false) => members.next_value::<IgnoredAny>().map(|_| Value::Null)?,
                _ => members.next_value()?,
            };
            attributes.insert(name.into_owned(), value);
        }
        self.walk.end();
        Ok(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_refused_exactly_where_a_value_would_be() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for data in [
            r#"{"a":[1,-2,3.5,"x\u00e9",true,null],"":{}}"#,
            "1e999",
            r#""\ud800""#,
            r#"{"a":1,}"#,
            r#"{1:2}"#,
            "[1 2]",
            "nul",
            "01",
            &deep(126),
            &deep(127),
            &deep(128),
        ] {
            let json = format!(r#"{{"id":"1","data":{data}}}"#);
            let value = serde_json::from_str::<Value>(&json);
            assert_eq!(read(json.as_bytes()).is_ok(), value.is_ok(), "{data}");
        }
    }

    #[test]
    fn a_repeated_member_is_pointed_to_in_attributes_and_in_data() {
        let pointer = |json: &str| read(json.as_bytes()).unwrap_err().pointer;
        assert_eq!(pointer(r#"{"id":"d1","id":"d2"}"#), "/id");
        assert_eq!(pointer(r#"{"data":{},"id":"1","data":{}}"#), "/data");
        let data = r#"{"id":"1","data":{"errored_count":0,"errored_count":9}}"#;
        assert_eq!(pointer(data), "/data/errored_count");
        let stored = read_stored(r#"{"id":"d1","id":"d2","data":{"a":1,"a":2}}"#.as_bytes());
        assert_eq!(stored.unwrap()["id"], "d2");
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        let error = read(b"{\"id\":\"1\",\n\"data\":{\"n\":NaN}}").unwrap_err();
        assert_eq!(error.pointer, "/data/n");
        assert!(error.detail.ends_with("at line 2, column 13"), "{}", error.detail);
        for json in ["", "[", "[1,]", "{} {}"] {
            let error = read(json.as_bytes()).unwrap_err();
            assert!(error.detail.contains("is not JSON"), "{}", error.detail);
        }
        assert_eq!(read(b"[]").unwrap_err().detail, "an event is a JSON object");
    }
}
