//! Groups: the values of some of an event's fields, counted apart.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::event::Event;
use crate::problem::FieldError;

/// Most fields that a rule may group by.
pub const MAX_GROUP_FIELDS: usize = 5;
/// Most groups that one rule counts apart. Events of further groups are counted
/// together, until groups that see no more events are forgotten.
pub const MAX_GROUPS: usize = 10_000;
/// Longest name of a field, in bytes.
const MAX_FIELD_BYTES: usize = 128;
/// Longest value shown whole, in bytes. A longer one is a group all the same,
/// shown by its beginning.
const MAX_SHOWN_BYTES: usize = 128;
/// Up to here a floating-point number has every whole number: 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// The group that an event belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The same for the same values, short whatever they are.
    pub key: String,
    /// Field by field, for people. A field that the event has not is null.
    pub values: Map<String, Value>,
}

impl Group {
    /// The group by these fields: a name stands for a field of `data`, else for
    /// an attribute of the event; `a.b` for a field within a field.
    pub fn of(fields: &[String], event: &Event, data: &Value) -> Self {
        let mut values = Map::new();
        let mut hash = Sha256::new();
        for field in fields {
            let value = in_its_digits(find(field, event, data), field, event);
            // With its length, so that two values do not run into each other.
            let text = value.to_string();
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(&text);
            values.insert(field.clone(), shown(value, &text));
        }
        let key =
            if fields.is_empty() { String::new() } else { hex::encode(&hash.finalize()[..16]) };
        Self { key, values }
    }

    /// The group of all events whose own groups found no room.
    pub fn overflow() -> Self {
        let values = Map::from_iter([("other".to_owned(), Value::Bool(true))]);
        Self { key: "other".to_owned(), values }
    }

    /// What is wrong with the fields, with pointers into the trigger.
    pub(super) fn problems(fields: &[String]) -> Vec<FieldError> {
        let mut problems = Vec::new();
        if fields.len() > MAX_GROUP_FIELDS {
            let detail = format!("may name at most {MAX_GROUP_FIELDS} fields");
            problems.push(FieldError::new("/group_by", detail));
        }
        for (index, field) in fields.iter().enumerate().take(MAX_GROUP_FIELDS) {
            let wrong = if field.is_empty() || field.len() > MAX_FIELD_BYTES {
                format!("must be from 1 to {MAX_FIELD_BYTES} bytes long")
            } else if field.split('.').any(str::is_empty) {
                "must be a name, or names with dots between them, like `graph_name`".to_owned()
            } else if fields[..index].contains(field) {
                "is there twice".to_owned()
            } else {
                continue;
            };
            problems.push(FieldError::new(format!("/group_by/{index}"), wrong));
        }
        problems
    }
}

/// The path of a field within `data`.
fn path_of(field: &str) -> &str {
    let path = field.strip_prefix("event.").unwrap_or(field);
    path.strip_prefix("data.").unwrap_or(path)
}

fn find(field: &str, event: &Event, data: &Value) -> Value {
    let path = path_of(field);
    let within = path.split('.').try_fold(data, |value, name| value.get(name));
    let attribute = || match path {
        "type" => Some(event.event_type.clone()),
        "source" => Some(event.source.clone()),
        "subject" => event.subject.clone(),
        _ => None,
    };
    match within {
        Some(value) => value.clone(),
        None => attribute().map_or(Value::Null, Value::String),
    }
}

/// A whole number too large for [`Value`], which rounds it, as the text that was sent:
/// two such ids are two groups.
fn in_its_digits(value: Value, field: &str, event: &Event) -> Value {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let digits = || {
        let shown = event.shown();
        let data = serde_json::from_slice::<Outer<'_>>(&shown).ok()?.data;
        let found = path_of(field).split('.').try_fold(data, |object, name| {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(object.get()).ok()?;
            members.get(name).copied()
        })?;
        let digits = found.get().strip_prefix('-').unwrap_or(found.get());
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| found.get().to_owned())
    };
    let is_rounded = value.is_f64() && value.as_f64().is_some_and(|f| f.abs() > MAX_EXACT);
    let digits = is_rounded.then(digits).flatten();
    digits.map_or(value, Value::String)
}

fn shown(value: Value, text: &str) -> Value {
    if text.len() <= MAX_SHOWN_BYTES {
        return value;
    }
    Value::String(format!("{}…", &text[..text.floor_char_boundary(MAX_SHOWN_BYTES)]))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn group(fields: &[&str], data: Value) -> Group {
        let event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t",
            "data": data});
        let event = Event::from_structured(Bytes::from(event.to_string())).unwrap();
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        Group::of(&fields, &event, &data)
    }

    #[test]
    fn events_with_the_same_values_are_one_group() {
        let etl = group(&["graph_name"], json!({"graph_name": "etl", "n": 1}));
        assert_eq!(etl.key, group(&["graph_name"], json!({"graph_name": "etl", "n": 2})).key);
        assert_ne!(etl.key, group(&["graph_name"], json!({"graph_name": "elt"})).key);
        assert_eq!(Value::from(etl.values), json!({"graph_name": "etl"}));
        assert_eq!(group(&[], json!({})).key, "");
    }

    #[test]
    fn a_missing_field_is_a_group_of_its_own() {
        let missing = group(&["graph_name"], json!({}));
        assert_eq!(Value::from(missing.values), json!({"graph_name": null}));
        assert_ne!(missing.key, group(&["graph_name"], json!({"graph_name": "null"})).key);
    }

    #[test]
    fn ids_that_differ_in_their_last_digit_are_two_groups() {
        let group = |id: &str| {
            let json = format!(
                r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{{"a":{{"id":{id}}}}}}}"#
            );
            let event = Event::from_structured(Bytes::from(json)).unwrap();
            Group::of(&["a.id".to_owned()], &event, &event.data())
        };
        let (one, two) = (group("12345678901234567890123"), group("12345678901234567890124"));
        assert_ne!(one.key, two.key);
        assert_eq!(one.values["a.id"], "12345678901234567890123");
        assert_eq!(group("1090123456789012").values["a.id"], 1090123456789012u64);
        assert_eq!(group("1e30").values["a.id"], 1e30);
    }

    #[test]
    fn values_do_not_run_into_each_other() {
        let two = |a, b| group(&["a", "b"], json!({"a": a, "b": b})).key;
        assert_ne!(two("x\"", "y"), two("x", "\"y"));
    }

    #[test]
    fn attributes_and_fields_within_fields_are_found() {
        let values = |field| group(&[field], json!({"a": {"b": 7}})).values[field].clone();
        assert_eq!(values("a.b"), 7);
        assert_eq!(values("event.data.a.b"), 7);
        assert_eq!(values("type"), "t");
        assert_eq!(values("event.source"), "/s");
        assert_eq!(values("subject"), Value::Null);
    }

    #[test]
    fn a_huge_value_is_shown_by_its_beginning() {
        let huge = group(&["a"], json!({"a": "é".repeat(1000)}));
        assert!(huge.values["a"].as_str().unwrap().len() < 200);
        assert_eq!(huge.key.len(), 32);
    }

    #[test]
    fn fields_that_are_too_many_twice_there_or_no_names_are_refused_by_index() {
        let pointers = |fields: &[String]| {
            let problems = Group::problems(fields).into_iter();
            problems.map(|problem| problem.pointer).collect::<Vec<_>>()
        };
        let fields = |count: usize| (0..count).map(|n| format!("a.b{n}")).collect::<Vec<_>>();
        assert!(pointers(&fields(MAX_GROUP_FIELDS)).is_empty());
        assert_eq!(pointers(&fields(MAX_GROUP_FIELDS + 1)), ["/group_by"]);
        let long = "x".repeat(MAX_FIELD_BYTES + 1);
        for wrong in ["", &long, "a..b", ".a", "b0"] {
            let fields = ["b0".to_owned(), wrong.to_owned()];
            assert_eq!(pointers(&fields), ["/group_by/1"], "{wrong:?}");
        }
    }

    #[test]
    fn groups_without_room_are_one_that_no_event_has_of_its_own() {
        let overflow = Group::overflow();
        assert_eq!(Value::from(overflow.values.clone()), json!({"other": true}));
        assert_ne!(group(&["other"], json!({"other": true})).key, overflow.key);
    }
}
