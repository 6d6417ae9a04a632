//! What the audit log is told of a change: each field that differs, as it was and as it is.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Longest value that is kept, in bytes of JSON: twice the longest condition, with all of
/// its characters escaped.
const MOST_BYTES: usize = 16 * 1024;

/// Fields by name, as the log may know them.
pub type Fields = Map<String, Value>;

/// A field's value as the log keeps it.
pub fn value(of: impl Serialize) -> Value {
    let value = serde_json::to_value(of).unwrap_or_default();
    match value.to_string().len() {
        0..=MOST_BYTES => value,
        bytes => format!("({bytes} bytes, too long for the audit log)").into(),
    }
}

/// The detail of something that was made.
pub fn made(fields: Fields) -> Value {
    json!({"name": fields.get("name"), "after": fields})
}

/// The detail of a change. `untold` names what was changed in parts that the log is not
/// told.
pub fn between(before: &Fields, after: &Fields, untold: &[&'static str]) -> Value {
    let names = after.keys().chain(before.keys().filter(|name| !after.contains_key(*name)));
    let changed: Vec<&String> =
        names.filter(|name| before.get(*name) != after.get(*name)).collect();
    let of = |fields: &Fields| -> Fields {
        let values = changed.iter().map(|name| fields.get(*name).cloned().unwrap_or_default());
        changed.iter().map(|name| (*name).clone()).zip(values).collect()
    };
    let mut names: Vec<&str> = changed.iter().map(|name| name.as_str()).collect();
    names.extend(untold.iter().filter(|name| !changed.iter().any(|told| told == *name)));
    let mut detail = json!({"changed": names, "before": of(before), "after": of(after)});
    if let Some(name) = after.get("name") {
        detail["name"] = name.clone();
    }
    detail
}

/// What [`between`] says is different.
pub(crate) fn names(detail: &Value) -> Vec<String> {
    let names = detail["changed"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(of: Value) -> Fields {
        of.as_object().unwrap().clone()
    }

    #[test]
    fn only_what_differs_is_told_and_what_is_not_told_is_named() {
        let before = fields(json!({"name": "One", "is_active": true, "fuel": 7, "url": "a"}));
        let after = fields(json!({"name": "One", "is_active": false, "url": "a"}));
        let expected = json!({
            "name": "One",
            "changed": ["is_active", "fuel", "url"],
            "before": {"is_active": true, "fuel": 7},
            "after": {"is_active": false, "fuel": null},
        });
        let detail = between(&before, &after, &["url", "is_active"]);
        assert_eq!(detail, expected);
        assert_eq!(names(&detail), ["is_active", "fuel", "url"]);
    }

    #[test]
    fn a_value_that_is_too_long_is_told_by_its_length() {
        let told = value("x".repeat(MOST_BYTES));
        assert_eq!(told, "(16386 bytes, too long for the audit log)");
    }
}
