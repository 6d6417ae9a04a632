//! An event's attributes, read without its data: that may be large, and is only
//! checked to be JSON, not taken apart.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::json::{self, Sieve};
use crate::problem::FieldError;

/// Reads a JSON object: all of its members by name, with null in place of `data`.
///
/// # Errors
/// It is not JSON, is no object, or has a member twice, however deep.
pub(super) fn read(body: &[u8]) -> Result<Map<String, Value>, FieldError> {
    let mut sieve = Sieve::default();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = Attributes { sieve: Some(&mut sieve) }.deserialize(&mut reader);
    match read.and_then(|attributes| reader.end().map(|()| attributes)) {
        Ok(attributes) if !sieve.is_suspect() => Ok(attributes),
        read => {
            json::look_closely(body).map_err(told)?;
            // What is JSON and yet does not read is no object.
            read.map_err(|_| FieldError::new("", "an event is a JSON object"))
        }
    }
}

fn told(error: json::JsonError) -> FieldError {
    match error.pointer.as_str() {
        "" => FieldError::new("", format!("the event {}", error.fault)),
        _ => FieldError::new(error.pointer, error.fault.to_string()),
    }
}

/// The same of an event that is stored, which was let in: nothing is checked again, and
/// of a repeated member, which older releases let in, the last one counts.
pub(super) fn read_stored(body: &[u8]) -> Option<Map<String, Value>> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    Attributes { sieve: None }.deserialize(&mut reader).ok()
}

struct Attributes<'s> {
    /// What looks at `data`, and at whether a name is there twice.
    sieve: Option<&'s mut Sieve>,
}

impl<'de> DeserializeSeed<'de> for Attributes<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Attributes<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut attributes = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = match (&mut self.sieve, name == "data") {
                (Some(sieve), true) => members.next_value_seed(sieve.value()).map(|()| Value::Null),
                (None, true) => members.next_value::<IgnoredAny>().map(|_| Value::Null),
                (_, false) => members.next_value(),
            };
            let is_repeated = attributes.insert(name, value?).is_some();
            if let Some(sieve) = &mut self.sieve
                && is_repeated
            {
                sieve.suspect();
            }
        }
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
