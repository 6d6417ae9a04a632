//! Where what is asked for differs from what is there, and how that is shown.

use std::collections::BTreeSet;

use alerts_domain::endpoint::masked_url;
use serde_json::{Map, Value};

/// One value that is another.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    /// From the resource's field on, such as `["retry_policy", "max_retries"]`.
    path: Vec<String>,
    from: Value,
    to: Value,
}

/// What stands for a value that may be a secret.
const HIDDEN: &str = "(not shown)";
/// Longest value that is shown whole, in characters: some lines of a terminal.
const MAX_SHOWN_CHARS: usize = 400;

impl Difference {
    /// The resource's field that it is in.
    pub(super) fn field(&self) -> &str {
        &self.path[0]
    }

    /// One line, without anything that may be a secret: as in the audit log, that is what
    /// follows the host in a URL, and what stands in a header.
    pub(super) fn shown(&self) -> String {
        let (from, to) = (shown(self.field(), &self.from), shown(self.field(), &self.to));
        let name = self.path.join(".");
        match from == to {
            true => format!("{name}: another value {HIDDEN}"),
            false => format!("{name}: {from} → {to}"),
        }
    }
}

/// A field of something new, in one line.
pub(super) fn shown_field(name: &str, value: &Value) -> String {
    match value {
        Value::Object(members) if name == "headers" => {
            let names: Vec<&str> = members.keys().map(String::as_str).collect();
            format!("headers: {} {HIDDEN}", names.join(", "))
        }
        value => format!("{name}: {}", shown(name, value)),
    }
}

fn shown(field: &str, value: &Value) -> String {
    match (field, value) {
        (_, Value::Null) => "none".to_owned(),
        ("target_url", Value::String(url)) => masked_url(url.trim_end_matches('…')),
        ("headers", _) => HIDDEN.to_owned(),
        (_, value) => {
            let text = value.to_string();
            match text.char_indices().nth(MAX_SHOWN_CHARS) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}

/// Where `there` is not as `wanted` asks. What is there and not asked about is not looked at.
pub(super) fn differences(wanted: &Map<String, Value>, there: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, wanted) in wanted {
        compare(vec![name.clone()], &there[name], wanted, &mut found);
    }
    found
}

fn compare(path: Vec<String>, from: &Value, to: &Value, found: &mut Vec<Difference>) {
    match (from, to) {
        (Value::Object(before), Value::Object(after)) => {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let path = path.iter().chain([name]).cloned().collect();
                compare(path, &from[name], &to[name], found);
            }
        }
        _ if from == to => {}
        _ => found.push(Difference { path, from: from.clone(), to: to.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(wanted: Value, there: &Value) -> Vec<String> {
        let wanted = wanted.as_object().unwrap().clone();
        differences(&wanted, there).iter().map(Difference::shown).collect()
    }

    #[test]
    fn only_what_is_asked_about_and_is_another_is_told() {
        let there = json!({"id": "x", "a": 1, "deep": {"b": [1], "c": 2}, "limit": {"n": 1}});
        let wanted = json!({"a": 1, "deep": {"b": [1, 2], "d": true}, "limit": null});
        assert_eq!(
            lines(wanted, &there),
            [
                "deep.b: [1] → [1,2]",
                "deep.c: 2 → none",
                "deep.d: none → true",
                "limit: {\"n\":1} → none",
            ]
        );
    }

    #[test]
    fn nothing_that_may_be_a_secret_is_shown() {
        let there = json!({"target_url": "https://a.example/hush", "headers": {"x-key": "hush"}});
        let wanted =
            json!({"target_url": "https://a.example/hush2", "headers": {"x-key": "hush2"}});
        assert_eq!(
            lines(wanted, &there),
            ["headers.x-key: another value (not shown)", "target_url: another value (not shown)"]
        );
        let wanted = json!({"target_url": "https://b.example/hush", "headers": {}});
        assert_eq!(
            lines(wanted, &there),
            [
                "headers.x-key: (not shown) → none",
                "target_url: https://a.example/… → https://b.example/…",
            ]
        );
        let shown = shown_field("headers", &json!({"a": "hush", "b": "hush"}));
        assert_eq!(shown, "headers: a, b (not shown)");
    }
}
