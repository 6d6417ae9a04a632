//! The event as CEL sees it: JSON straight into CEL values, without a tree in
//! between, strings borrowed from the event's bytes wherever they hold no escapes.

use std::collections::HashMap;
use std::fmt;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull};
use cel::common::types::{CelString, CelUInt};
use cel::common::value::Val;
use exosphere_alerts_sdk::EvalError;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

type Any<'e> = Box<dyn Val + 'e>;

/// The event, which must be a JSON object.
pub(crate) fn parse(event: &[u8]) -> Result<Any<'_>, EvalError> {
    let invalid =
        |error: serde_json::Error| EvalError::new(format!("the event is not JSON: {error}"));
    let mut json = serde_json::Deserializer::from_slice(event);
    let value = AnyValue.deserialize(&mut json).map_err(invalid)?;
    json.end().map_err(invalid)?;
    if value.downcast_ref::<CelMap>().is_none() {
        return Err(EvalError::new("the event is not a JSON object"));
    }
    Ok(value)
}

/// Integers become `int` (`uint` above its range), other numbers `double`; CEL
/// compares them with each other, so `event.data.n > 3` holds for 3.5 too.
struct AnyValue;

impl<'e> DeserializeSeed<'e> for AnyValue {
    type Value = Any<'e>;

    fn deserialize<D: Deserializer<'e>>(self, deserializer: D) -> Result<Any<'e>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'e> Visitor<'e> for AnyValue {
    type Value = Any<'e>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Any<'e>, E> {
        Ok(Box::new(CelNull))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Any<'e>, E> {
        Ok(Box::new(CelBool::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Any<'e>, E> {
        Ok(Box::new(CelInt::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Any<'e>, E> {
        Ok(match i64::try_from(value) {
            Ok(value) => Box::new(CelInt::from(value)),
            Err(_) => Box::new(CelUInt::from(value)),
        })
    }

    fn visit_f64<E>(self, value: f64) -> Result<Any<'e>, E> {
        Ok(Box::new(CelDouble::from(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'e str) -> Result<Any<'e>, E> {
        Ok(Box::new(CelString::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Any<'e>, E> {
        Ok(Box::new(CelString::from(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'e>>(self, mut items: A) -> Result<Any<'e>, A::Error> {
        let mut list: Vec<Any<'e>> = Vec::new();
        while let Some(item) = items.next_element_seed(AnyValue)? {
            list.push(item);
        }
        Ok(Box::new(CelList::from(list)))
    }

    fn visit_map<A: MapAccess<'e>>(self, mut entries: A) -> Result<Any<'e>, A::Error> {
        let mut map: HashMap<CelMapKey<'e>, Any<'e>> = HashMap::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            map.insert(CelMapKey::String(key), entries.next_value_seed(AnyValue)?);
        }
        Ok(Box::new(CelMap::from(map)))
    }
}

struct Key;

impl<'e> DeserializeSeed<'e> for Key {
    type Value = CelString<'e>;

    fn deserialize<D: Deserializer<'e>>(self, deserializer: D) -> Result<CelString<'e>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'e> Visitor<'e> for Key {
    type Value = CelString<'e>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E>(self, name: &'e str) -> Result<CelString<'e>, E> {
        Ok(CelString::from(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<CelString<'e>, E> {
        Ok(CelString::from(name.to_owned()))
    }
}
