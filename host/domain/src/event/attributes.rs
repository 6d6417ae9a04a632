//! An event's attributes, read without its data: that may be large, and is only
//! checked to be JSON, not taken apart.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// All attributes by name; null in place of `data`.
pub(super) struct Attributes(pub(super) Map<String, Value>);

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct AttributesVisitor;

impl<'de> Visitor<'de> for AttributesVisitor {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Attributes, A::Error> {
        let mut attributes = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = if name == "data" {
                entries.next_value::<Checked>()?;
                Value::Null
            } else {
                entries.next_value()?
            };
            attributes.insert(name, value);
        }
        Ok(Attributes(attributes))
    }
}

/// JSON of any shape that everybody after us can read: no deeper and with no larger
/// numbers than [`Value`] takes, and whole characters. [`serde::de::IgnoredAny`]
/// would let all of these pass.
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Checked)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = Checked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Checked, A::Error> {
        while entries.next_entry::<Checked, Checked>()?.is_some() {}
        Ok(Checked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Checked, A::Error> {
        while elements.next_element::<Checked>()?.is_some() {}
        Ok(Checked)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_unit<E: Error>(self) -> Result<Checked, E> {
        Ok(Checked)
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
            let read = serde_json::from_str::<Attributes>(&json);
            let value = serde_json::from_str::<Value>(&json);
            assert_eq!(read.is_ok(), value.is_ok(), "{data}");
            if let (Err(read), Err(value)) = (read, value) {
                assert_eq!(read.to_string(), value.to_string(), "{data}");
            }
        }
    }
}
